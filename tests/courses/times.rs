//! When groups are looked at: at equal SDE time, whichever looks were asked for.

use sgd_sde::experiment;
use sgd_sde::findings::{Findings, GroupRecord};
use sgd_sde::scenario::Loaded;

use crate::support::{BASE, claim, run, scenario};

/// 128 training examples.
fn curves(sgd: &str, training: &str, scaling: &str, more: &str) -> Loaded {
    let tables =
        format!("[sgd]\n{sgd}\n[training]\n{training}\n[scaling]\n{scaling}\n[ensemble]\nreplicas = 12\n{more}");
    scenario("curves", &tables)
}

/// Groups after the pilot whose η/S is that of the first: the last of `curves` has another.
fn scaled(findings: &Findings) -> &[GroupRecord] {
    &findings.groups[1..findings.groups.len() - 1]
}

fn assert_equal_times(groups: &[GroupRecord], what: &str) {
    for group in groups {
        assert_eq!(group.looks.len(), groups[0].looks.len(), "{what}");
        assert_eq!(group.steps, group.looks.last().unwrap().steps, "{what}: {}", group.name);
        for (look, first) in group.looks.iter().zip(&groups[0].looks) {
            assert_eq!(look.epochs, first.epochs, "{what}: {}", group.name);
            let gap = (look.sde_time - first.sde_time).abs();
            assert!(gap <= 1e-12 * first.sde_time, "{what}: {} is {gap} of SDE time away", group.name);
        }
    }
}

/// The same training looked at eight, sixteen, … times an epoch and once: what is compared at the end of an epoch is the same number, and
/// no look compares unequal times, which would show a difference of a step of the larger batches.
#[test]
fn how_often_one_looks_changes_no_difference() {
    let sgd = "learning_rate = 0.02\nbatch_size = 1";
    let of = |every: &str| {
        let findings = run(&curves(sgd, &format!("epochs = 2\nlook_every = {every}"), "beta = [1, 16]", ""));
        assert_equal_times(scaled(&findings), every);
        let loss = claim(&findings, "loss-beta-16").clone();
        let at = |epoch: &str| {
            let label = format!("Δ ln L at epoch {epoch}");
            loss.contrasts.iter().find(|contrast| contrast.quantity == label).and_then(|contrast| contrast.measured)
        };
        assert!(at("1").is_some() && at("2").is_some(), "{every}");
        (at("1"), at("2"), loss.contrasts.len(), loss.verdict)
    };
    // 16 examples are an eighth of an epoch.
    let (first, second, looks, verdict) = of("0.125");
    assert_eq!(looks, 16);
    for (every, expected) in [("0.03125", 16), ("0.1", 16), ("0.05", 16), ("0.25", 8), ("1", 2)] {
        let found = of(every);
        assert_eq!((found.0, found.1, found.2), (first, second, expected), "{every}");
        assert_eq!(found.3, verdict, "{every}");
    }
}

/// Batches that do not divide the examples, with every sampling; schedules that change between steps; SVAG.
#[test]
fn equal_ratios_are_compared_at_equal_time() {
    let sgd = "learning_rate = 0.01\nbatch_size = 3";
    for sampling in ["epochs", "with-replacement", "without-replacement"] {
        let text = format!(
            "name = \"course\"\nexperiment = \"curves\"\n{}[sgd]\n{sgd}\n[training]\nepochs = 3\nlook_every = 0.7\n[scaling]\nbeta = [1, 2, \
             10]\n[ensemble]\nreplicas = 3\n",
            BASE.replace("epochs", sampling)
        );
        let loaded =
            sgd_sde::scenario::parse(text, "course.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}"));
        let findings = run(&loaded);
        assert_equal_times(scaled(&findings), sampling);
        // Common steps are of 30 examples: 89.6, 179.2, 268.8, 358.4 and 384 of them were asked for.
        let steps: Vec<u64> = findings.groups[1].looks.iter().map(|look| look.steps).collect();
        assert_eq!(steps, [0, 30, 60, 90, 120, 130], "{sampling}");
        assert!(findings.notes.iter().any(|note| note.contains("one every 0.2344 epochs")), "{:?}", findings.notes);
    }
    for (schedule, time) in [
        // A quarter of η from 132 examples on, the first multiple of 6 from 1.03·128 = 131.84 on; 384 in all.
        ("learning_rate_factors = [[1.03, 0.25]]", 0.01 / 3.0 * (132.0 + 0.25 * 252.0)),
        ("batch_size_factors = [[1.03, 2]]\nlearning_rate_factors = [[1.03, 2], [2.2, 1]]", f64::NAN),
    ] {
        let training = format!("epochs = 3\nlook_every = 0.6\n{schedule}");
        let findings = run(&curves(sgd, &training, "beta = [1, 2]", ""));
        assert_equal_times(scaled(&findings), schedule);
        let last = findings.groups[1].looks.last().unwrap();
        assert!(time.is_nan() || (last.sde_time - time).abs() < 1e-12, "{} for {time}", last.sde_time);
    }
    let base = BASE.replace("epochs", "with-replacement");
    let text = format!(
        "name = \"course\"\nexperiment = \"svag\"\n{base}[sgd]\nlearning_rate = 0.05\nbatch_size = 5\n[training]\nepochs = 1.3\nlook_every = \
         0.21\nlearning_rate_factors = [[0.7, 0.5]]\n[ensemble]\nreplicas = 2\n[svag]\namplifications = [2, 3]\nbeside = [\"isotropic\"]\n"
    );
    let loaded =
        sgd_sde::scenario::parse(text, "course.toml", &[], None).unwrap_or_else(|problems| panic!("{problems}"));
    assert_equal_times(&run(&loaded).groups, "svag");
}

/// Ten examples and batches of four: an epoch is two steps and a half, of every sampling.
#[test]
fn an_epoch_is_as_many_examples_as_there_are() {
    for sampling in ["epochs", "with-replacement", "without-replacement"] {
        let of = |beta: &str, epochs: f64| {
            let text = format!(
                "name = \"course\"\nexperiment = \"curves\"\n[data]\nkind = \"two-moons\"\nnoise = 0.1\nexamples = 10\nseed = 1\n[loss]\nkind = \
                 \"network\"\nhidden = [4]\n[noise]\nkind = \"minibatch\"\nsampling = \"{sampling}\"\n[sgd]\nlearning_rate = 0.05\nbatch_size = \
                 4\n[training]\nepochs = {epochs}\n[scaling]\nbeta = {beta}\n[ensemble]\nreplicas = 4\n"
            );
            let loaded = sgd_sde::scenario::parse(text, "course.toml", &[], None).unwrap_or_else(|e| panic!("{e}"));
            run(&loaded)
        };
        let findings = of("[1, 2]", 10.0);
        // 100 examples are 25 steps of 4, and all groups stand together at 104.
        let steps: Vec<u64> = findings.groups.iter().map(|group| group.steps).collect();
        assert_eq!(steps, [26, 26, 13, 13], "{sampling}");
        let last = findings.groups[2].looks.last().unwrap();
        assert_eq!((last.epochs, last.steps), (10.4, 13));
        assert!((last.sde_time - 1.3).abs() < 1e-12, "{}", last.sde_time);
        assert_equal_times(scaled(&findings), sampling);
        // 16 epochs are 40 steps, and there is nothing to wait for.
        assert_eq!(of("[1, 2]", 16.0).groups[1].steps, 40, "{sampling}");
    }
}

fn refused(loaded: &Loaded) -> String {
    experiment::prepare(loaded).map(|_| ()).unwrap_err().to_string()
}

/// What cannot be drawn or compared is told before anything is trained, at its key.
#[test]
fn what_would_fail_on_the_way_is_refused_at_once() {
    let sgd = "learning_rate = 0.01\nbatch_size = 8";
    let late = refused(&curves(sgd, "epochs = 2\nbatch_size_factors = [[1, 2], [1.5, 8]]", "beta = [1, 4]", ""));
    assert!(
        late.contains("training.batch_size_factors[1]") && late.contains("into 256") && late.contains("128"),
        "{late}"
    );
    // A batch of 10 is halved to 5, one of 25 is not.
    let half = refused(&curves(
        "learning_rate = 0.01\nbatch_size = 10",
        "epochs = 2\nbatch_size_factors = [[1, 0.5]]",
        "beta = [1, 2.5]",
        "",
    ));
    assert!(
        half.contains("training.batch_size_factors[0]") && half.contains("12.5") && half.contains("β = 2.5"),
        "{half}"
    );
    let width = "[sgd]\nlearning_rate = 0.01\nbatch_size = 4\n[training]\nepochs = 1\nbatch_size_factors = [[0.5, 16]]\n[width]\nloss = \
                 0.1\nfactors = [[1, 1], [4, 4], [2, 1], [8, 4], [4, 1], [16, 4], [8, 1], [32, 4], [16, 1], [64, 4]]\n";
    let width = refused(&scenario("width", width));
    assert!(width.contains("training.batch_size_factors[0]") && width.contains("256"), "{width}");
    let never = refused(&curves("learning_rate = 0.01\nbatch_size = 48", "epochs = 0.9", "beta = [1, 1.1875]", ""));
    assert!(never.contains("scaling.beta") && never.contains("[48, 48, 57, 57]"), "{never}");
    assert!(never.contains("every 7.125 epochs"), "{never}");
    let together = "epochs = 2\nlearning_rate_factors = [[1.02, 0.5], [1.2, 0.1]]";
    let together = refused(&curves(sgd, together, "beta = [1, 4]", ""));
    assert!(
        together.contains("training.learning_rate_factors[1]") && together.contains("every 0.25 epochs"),
        "{together}"
    );
}
