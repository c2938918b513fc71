//! Replicas without a number are counted, and bar a verdict on the others.

use sgd_sde::findings::Findings;
use sgd_sde::scenario::{Loaded, load};
use sgd_sde::statistics::Verdict;

use crate::support::{claim, run, try_run};

/// A scenario with a CSV file of examples beside it.
fn with_data(csv: &str, text: &str) -> Loaded {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("examples.csv"), csv).unwrap();
    let file = folder.path().join("course.toml");
    std::fs::write(&file, format!("name = \"course\"\nexperiment = \"curves\"\n{text}")).unwrap();
    load(&file, &[], None).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Two classes far apart: margins grow until single precision rounds the loss of every example to 0.
fn separable(rate: f64, epochs: u64) -> Loaded {
    let mut csv = String::from("a,b,y\n");
    for i in 0..24 {
        let side = if i % 2 == 0 { -1.0 } else { 1.0 };
        csv += &format!("{},{},{}\n", side * (1.0 + 0.04 * f64::from(i)), 0.3 * f64::from(i % 5) - 0.6, i % 2);
    }
    let text = format!(
        "[data]\nkind = \"csv\"\npath = \"examples.csv\"\ntarget = \"y\"\n[loss]\nkind = \"network\"\nhidden = [8]\nactivation = \
         \"tanh\"\n[noise]\nkind = \"minibatch\"\nsampling = \"epochs\"\n[sgd]\nlearning_rate = {rate}\nbatch_size = 2\n[training]\nepochs = \
         {epochs}\nlook_every = {}\n[scaling]\nbeta = [1, 2]\n[ensemble]\nreplicas = 12\n",
        epochs / 4
    );
    with_data(&csv, &text)
}

/// Losses far below what 1 + x can hold in single precision, and at the largest rate below the smallest double: every replica keeps its
/// logarithm, and none is left out.
#[test]
fn small_losses_are_left_out_of_nothing() {
    for (rate, epochs) in [(20.0, 80), (200.0, 40), (4_000.0, 40)] {
        let (findings, figures) = try_run(&separable(rate, epochs)).unwrap();
        let loss = claim(&findings, "loss-beta-2");
        assert_eq!(loss.contrasts.len(), 4, "{rate}: {}", loss.reason);
        assert!(loss.contrasts.iter().all(|contrast| contrast.measured.is_some()), "{rate}: {}", loss.reason);
        assert!(!loss.reason.contains("leaves out"), "{rate}: {}", loss.reason);
        for group in figures.curves.unwrap().groups {
            assert!(group.curves[0].iter().all(|point| point.left_out + point.pairs_left_out == 0), "{rate}");
        }
    }
}

/// y = 2x through two linear weights in double precision: descent ends in weights whose product is 2 to the last bit, for some seeds.
fn exact_fit(rate: f64, epochs: u64) -> Loaded {
    let csv = "x,y\n1,2\n2,4\n-1,-2\n-2,-4\n";
    let text = format!(
        "[data]\nkind = \"csv\"\npath = \"examples.csv\"\ntarget = \"y\"\ntask = \"regression\"\n[loss]\nkind = \"network\"\nhidden = \
         [1]\nactivation = \"identity\"\nobjective = \"squared-error\"\nbias = false\n[noise]\nkind = \"minibatch\"\nsampling = \
         \"with-replacement\"\n[sgd]\nlearning_rate = {rate}\nbatch_size = 1\n[training]\nepochs = {epochs}\nlook_every = {epochs}\nprecision = \
         \"single\"\n[scaling]\nbeta = [1, 2]\n[ensemble]\nreplicas = 24\n[test]\ntolerance = 0.5\n"
    );
    with_data(csv, &text)
}

fn assert_barred(findings: &Findings, told: &[&str]) {
    for id in ["loss-beta-2", "loss-control"] {
        let claim = claim(findings, id);
        assert_eq!((claim.verdict, claim.rejection_p_value), (Some(Verdict::Undetermined), None), "{}", claim.reason);
        for told in told {
            assert!(claim.reason.contains(told), "{told}: {}", claim.reason);
        }
    }
    assert_eq!(findings.verdict, Some(Verdict::Undetermined));
}

/// A loss that is exactly 0 has no logarithm in any precision: how many have none is told, and nothing holds or is rejected of the others.
#[test]
fn a_loss_of_zero_is_counted_and_bars() {
    for (rate, epochs) in [(0.05, 200), (0.1, 100), (0.02, 400)] {
        let (findings, figures) = try_run(&exact_fit(rate, epochs)).unwrap();
        assert_barred(&findings, &["with L = 0", "and those left are a selection"]);
        let last = figures.curves.unwrap().groups[1].curves[0].last().unwrap().clone();
        assert!(last.pairs_left_out > 0, "{last:?}");
        assert!(findings.notes.iter().any(|note| note.contains("leaves out")), "{:?}", findings.notes);
    }
}

/// Steps at which some replicas diverge in every group, the first and the pilot too: what is left is a selection of starts.
#[test]
fn lost_replicas_of_the_first_group_bar() {
    for scale in [1.6, 2.0, 2.4] {
        let mut loaded = exact_fit(0.16, 8);
        let training = loaded.scenario.training.as_mut().unwrap();
        training.initialization = sgd_sde::scenario::InitializationName::Normal;
        training.initialization_scale = Some(scale);
        let findings = run(&loaded);
        let lost = findings.groups[1].diverged.unwrap();
        assert!(lost > 0 && lost < 24, "{scale}: {lost}");
        assert_barred(&findings, &["diverged", "and those left are a selection"]);
        let measure = &findings.groups[1].measures[0];
        assert_eq!(measure.left_out.map(|left_out| (left_out.of, left_out.lost)), Some((24, lost)));
        let text = sgd_sde::report::text::run(&findings, sgd_sde::report::Style::default());
        assert!(text.contains(&format!("(of {} of 24)", 24 - lost)), "{text}");
    }
}
