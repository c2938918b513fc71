//! Findings as an experiment would make them: numbers from the reference tables, noise from a small generator.

use sgd_sde::dynamics::DynamicsSpec;
use sgd_sde::findings::*;
use sgd_sde::loss::{ExpressionSpec, LossKind, LossSpec, MatrixSpec, WellSpec, WellsSpec};
use sgd_sde::noise::NoiseSpec;
use sgd_sde::report::RunRecord;
use sgd_sde::scenario::{EnsembleSpec, ExperimentKind, Rung, Scenario, SgdSpec, Start, TestSpec};
use sgd_sde::statistics::claim::Verdict;

/// A case with everything that a report is made of.
pub struct Case {
    pub findings: Findings,
    pub figures: FigureData,
}

/// Noise for drawings, not for statistics.
struct Noise(u64);

impl Noise {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

pub fn run_record() -> RunRecord {
    RunRecord {
        host: "laboratory".into(),
        threads: 2,
        seconds: 93.4,
        steps_per_second: 2.741e9,
        instruction_set: "x86-64-v3".into(),
        started: "2025-03-01T12:00:00Z".into(),
        command: "sgd-sde run double-well --seed 1".into(),
    }
}

pub const TOML: &str =
    "name = \"double-well\"\nexperiment = \"equilibrium\"\nseed = 1\n\n[loss]\nkind = \"expression\"\n";

fn scenario(name: &str, title: &str, loss: LossKind, dimension: usize) -> Scenario {
    Scenario {
        name: name.into(),
        title: title.into(),
        question:
            "Is the time that SGD spends in each minimum the one that exp(−2L/(nσ²)) and the determinants predict?"
                .into(),
        experiment: ExperimentKind::Equilibrium,
        expect: Verdict::Holds,
        seed: 1,
        loss: LossSpec { kind: loss, domain: vec![[-3.0, 3.0]; dimension] },
        noise: NoiseSpec::Isotropic { sigma: 2.0 },
        sgd: Some(SgdSpec { learning_rate: 0.05, batch_size: 1 }),
        dynamics: DynamicsSpec::EulerMaruyama { step: 0.02 },
        ensemble: EnsembleSpec {
            replicas: 128,
            steps: 2_000_000,
            burn_in: 50_000,
            start: Start::Minima,
            observe_every: Some(10),
        },
        test: TestSpec { tolerance: 0.1, against: Rung::Laplace },
    }
}

fn findings(scenario: Scenario, temperature: f64) -> Findings {
    Findings {
        schema: SCHEMA,
        program: Program { name: "sgd-sde".into(), version: "0.1.0".into() },
        noise_scale: Some(temperature / 2.0),
        temperature: Some(temperature),
        effective_temperature: None,
        minima: Vec::new(),
        saddles: Vec::new(),
        escape: Vec::new(),
        occupancy: Vec::new(),
        claims: Vec::new(),
        verdict: Some(Verdict::Holds),
        expected: scenario.expect,
        diagnostics: Some(Diagnostics {
            nested_r_hat: Some(1.000_31),
            r_hat: Some(1.000_82),
            ess: Some(11_873.0),
            equilibrated: true,
            transitions: 15_224,
            round_trips: 7_580,
            start_contrast: Some(StartContrastRecord {
                quantity: "p_A, started in A − started in B".into(),
                value: -0.0011,
                standard_error: 0.0024,
                consistent_with_zero: true,
            }),
            all_basins: vec![AllBasinsRecord {
                against: "laplace".into(),
                t_squared: Some(14.1),
                p_value: Some(0.000_26),
            }],
            observed_every: 10,
            ..Diagnostics::default()
        }),
        scenario,
        notes: Vec::new(),
    }
}

fn minimum(id: &str, theta: Vec<f64>, loss: f64, eigenvalues: Vec<f64>) -> MinimumRecord {
    let log_determinant = eigenvalues.iter().map(|h| h.ln()).sum();
    MinimumRecord { id: id.into(), theta, loss, hessian_eigenvalues: eigenvalues, log_determinant, multiplicity: 1 }
}

fn saddle(between: [&str; 2], theta: Vec<f64>, loss: f64, eigenvalues: Vec<f64>) -> SaddleRecord {
    SaddleRecord { between: between.map(Into::into), theta, loss, hessian_eigenvalues: eigenvalues }
}

/// One row: Laplace, Gibbs, discrete, measured with its error.
fn row(id: &str, rungs: [Option<f64>; 3], measured: Option<(f64, f64)>) -> OccupancyRecord {
    OccupancyRecord {
        minimum: id.into(),
        laplace: rungs[0],
        gibbs: rungs[1],
        gibbs_standard_error: None,
        discrete: rungs[2],
        measured: measured.map(|m| m.0),
        standard_error: measured.map(|m| m.1),
        interval: measured.map(|(p, e)| [p - 1.979 * e, p + 1.979 * e]),
    }
}

/// The claim about one rung, contrasts of every minimum against the first, from the occupancies themselves.
fn claim(occupancy: &[OccupancyRecord], rung: Rung, primary: bool, verdict: Verdict, reason: &str) -> ClaimRecord {
    let name = match rung {
        Rung::Laplace => "laplace",
        Rung::Gibbs => "gibbs",
        Rung::Discrete => "discrete",
    };
    let of = |row: &OccupancyRecord| match rung {
        Rung::Laplace => row.laplace,
        Rung::Gibbs => row.gibbs,
        Rung::Discrete => row.discrete,
    };
    let reference = &occupancy[0];
    let contrasts: Vec<ContrastRecord> = occupancy[1..]
        .iter()
        .filter(|row| row.minimum != "other")
        .map(|row| {
            let ratio = |a: Option<f64>, b: Option<f64>| Some((a? / b?).ln());
            let error = |row: &OccupancyRecord| Some(row.standard_error? / row.measured?);
            let measured = ratio(reference.measured, row.measured);
            let standard_error = error(reference).zip(error(row)).map(|(a, b)| a + b);
            ContrastRecord {
                quantity: format!("ln(p_{}/p_{})", reference.minimum, row.minimum),
                predicted: ratio(of(reference), of(row)),
                measured,
                standard_error,
                interval: measured.zip(standard_error).map(|(m, e)| [m - 1.657 * e, m + 1.657 * e]),
            }
        })
        .collect();
    let distance = |c: &ContrastRecord| c.measured.zip(c.predicted).map_or(0.0, |(m, p)| (m - p).abs());
    let decisive = contrasts.iter().max_by(|a, b| distance(a).total_cmp(&distance(b))).unwrap().clone();
    ClaimRecord {
        id: format!("occupancy-{name}"),
        primary,
        statement: format!("The occupancies of the minima are those of the {name} rung"),
        quantity: decisive.quantity,
        predicted: decisive.predicted,
        measured: decisive.measured,
        standard_error: decisive.standard_error,
        interval: decisive.interval,
        tolerance: 0.1,
        verdict: Some(verdict),
        reason: reason.into(),
        source: "p_A ∝ (det H_A)^(−1/2) exp(−L_A/T), slide 5".into(),
        contrasts,
    }
}

fn grid(low: f64, high: f64, points: usize) -> Vec<f64> {
    (0..points).map(|i| low + (high - low) * i as f64 / (points - 1) as f64).collect()
}

/// Histogram and curves; the chain's density is the Gibbs density, tilted a little.
fn density(loss: impl Fn(f64) -> f64, temperature: f64, tilt: f64, range: [f64; 2], bins: usize) -> DensityFigure {
    let theta = grid(range[0], range[1], 801);
    let step = theta[1] - theta[0];
    let normalized = |weight: &dyn Fn(f64) -> f64| {
        let values: Vec<f64> = theta.iter().map(|x| weight(*x)).collect();
        let total: f64 = values.iter().sum::<f64>() * step;
        values.into_iter().map(|value| value / total).collect::<Vec<f64>>()
    };
    let gibbs = normalized(&|x| (-loss(x) / temperature).exp());
    let discrete = normalized(&|x| (-loss(x) / temperature + tilt * x).exp());
    let edges = grid(range[0], range[1], bins + 1);
    let mut noise = Noise(7);
    let (mut measured, mut standard_error) = (Vec::new(), Vec::new());
    for bin in 0..bins {
        let index = ((bin as f64 + 0.5) / bins as f64 * 800.0).round() as usize;
        let error = 0.012 * discrete[index].sqrt();
        measured.push((discrete[index] + error * noise.normal()).max(0.0));
        standard_error.push(error);
    }
    let loss = theta.iter().map(|x| loss(*x)).collect();
    DensityFigure { variable: "x".into(), edges, measured, standard_error, theta, loss, gibbs, discrete }
}

/// Running occupancies of every minimum that go from the start towards the final values, if they do.
fn mixing(finals: &[(String, f64)], relaxation: f64, end: f64) -> MixingFigure {
    let time: Vec<f64> = (1..=200).map(|i| end * f64::from(i) / 200.0).collect();
    let mut noise = Noise(3);
    let mut series = Vec::new();
    for (start, _) in finals {
        for (minimum, p) in finals {
            let first = if start == minimum { 1.0 } else { 0.0 };
            let mut wobble = 0.0;
            let (mut value, mut standard_error) = (Vec::new(), Vec::new());
            for t in &time {
                let ratio = t / relaxation;
                let memory = (1.0 - (-ratio).exp()) / ratio;
                let error = (p * (1.0 - p) * memory / 64.0).sqrt() * if relaxation > end { 0.0 } else { 1.0 };
                wobble = 0.98 * wobble + 0.2 * noise.normal();
                value.push((p + (first - p) * memory + error * wobble).clamp(0.0, 1.0));
                standard_error.push(error);
            }
            series.push(MixingSeries { start: start.clone(), minimum: minimum.clone(), value, standard_error });
        }
    }
    MixingFigure { time, series }
}

fn finals(occupancy: &[OccupancyRecord]) -> Vec<(String, f64)> {
    occupancy.iter().filter_map(|row| row.measured.map(|p| (row.minimum.clone(), p))).collect()
}

fn wells(wells: &[(Vec<f64>, f64, MatrixSpec)]) -> LossKind {
    let well = wells
        .iter()
        .map(|(position, loss, hessian)| WellSpec { position: position.clone(), loss: *loss, hessian: hessian.clone() })
        .collect();
    LossKind::Wells(WellsSpec { well, smoothing: 0.1 })
}

/// (a) The quartic at T = 0.1: everything holds.
pub fn double_well() -> Case {
    let loss = LossKind::Expression(ExpressionSpec {
        variables: vec!["x".into()],
        parameters: [("tilt".to_owned(), 0.1)].into(),
        formula: "x^4/4 - x^2/2 + tilt*x".into(),
    });
    let mut findings = findings(scenario("double-well", "Which well does SGD prefer?", loss, 1), 0.1);
    findings.minima = vec![
        minimum("A", vec![-1.046_681], -0.352_386, vec![2.286_62]),
        minimum("B", vec![0.945_649], -0.152_639, vec![1.682_76]),
    ];
    findings.saddles = vec![saddle(["A", "B"], vec![0.101_031], 0.005_026, vec![-0.969_38])];
    let escape = |from: &str, to: &str, kramers, exact, discrete| EscapeRecord {
        from: from.into(),
        to: to.into(),
        kramers: Some(kramers),
        exact: Some(exact),
        discrete: Some(discrete),
    };
    findings.escape = vec![escape("A", "B", 150.506, 177.970, 178.412), escape("B", "A", 23.805, 29.199, 29.377)];
    findings.occupancy = vec![
        row("A", [Some(0.863_438), Some(0.859_060), Some(0.858_607)], Some((0.858_31, 0.001_23))),
        row("B", [Some(0.136_562), Some(0.140_940), Some(0.141_393)], Some((0.141_69, 0.001_23))),
        row("other", [None; 3], Some((0.0, 0.0))),
    ];
    let o = &findings.occupancy;
    findings.claims = vec![
        claim(
            o,
            Rung::Laplace,
            true,
            Verdict::Holds,
            "the 90 % interval of measured − predicted, [−0.060, −0.025], lies inside ±0.1",
        ),
        claim(
            o,
            Rung::Gibbs,
            false,
            Verdict::Holds,
            "the 90 % interval of measured − predicted, [−0.023, 0.011], lies inside ±0.1",
        ),
        claim(
            o,
            Rung::Discrete,
            false,
            Verdict::Holds,
            "the 90 % interval of measured − predicted, [−0.019, 0.015], lies inside ±0.1",
        ),
    ];
    if let Some(diagnostics) = &mut findings.diagnostics {
        let record = |from: &str, to: &str, count| TransitionRecord { from: from.into(), to: to.into(), count };
        diagnostics.transitions_by_pair = vec![record("A", "B", 7_610), record("B", "A", 7_614)];
    }
    let figures = FigureData {
        density: Some(density(|x| x.powi(4) / 4.0 - x * x / 2.0 + 0.1 * x, 0.1, 0.02, [-2.2, 2.2], 60)),
        map: None,
        mixing: Some(mixing(&finals(&findings.occupancy[..2]), 25.0, 40_000.0)),
    };
    Case { findings, figures }
}

fn two_wells(x: f64) -> f64 {
    let s = 0.1;
    -s * ((-4.0 * (x + 1.0).powi(2) / s).exp() + (-(0.1 + 0.75 * (x - 1.0).powi(2)) / s).exp()).ln()
}

fn wells_findings(name: &str, title: &str, temperature: f64) -> Findings {
    let loss = wells(&[(vec![-1.0], 0.0, MatrixSpec::Number(8.0)), (vec![1.0], 0.1, MatrixSpec::Number(1.5))]);
    let mut findings = findings(scenario(name, title, loss, 1), temperature);
    findings.minima = vec![minimum("A", vec![-1.0], 0.0, vec![8.0]), minimum("B", vec![1.0], 0.1, vec![1.5])];
    findings.saddles = vec![saddle(["A", "B"], vec![-0.368_575], 1.470_645, vec![-100.03])];
    findings
}

/// (b) Steps too large for the sharp well: the slide's formula is rejected, as expected.
pub fn too_large_step() -> Case {
    let mut findings = wells_findings("too-large-step", "A step too large for the sharp well", 0.2);
    findings.scenario.expect = Verdict::Rejected;
    findings.expected = Verdict::Rejected;
    findings.verdict = Some(Verdict::Rejected);
    findings.scenario.dynamics = DynamicsSpec::Sgd;
    findings.occupancy = vec![
        row("A", [Some(0.416_541), Some(0.416_559), Some(0.031_532)], Some((0.031_18, 0.000_44))),
        row("B", [Some(0.583_459), Some(0.583_441), Some(0.968_468)], Some((0.968_82, 0.000_44))),
    ];
    let o = &findings.occupancy;
    let far = "ln(p_A/p_B) is −3.436 ± 0.015, predicted −0.337: the 95 % interval of the difference, [−3.13, −3.07], lies \
               wholly outside ±0.1. The first rung that fails after one that holds is Gibbs: it drops the finite step, \
               δ·h = 1.6 at A.";
    findings.claims = vec![
        claim(o, Rung::Laplace, true, Verdict::Rejected, far),
        claim(o, Rung::Gibbs, false, Verdict::Rejected, far),
        claim(
            o,
            Rung::Discrete,
            false,
            Verdict::Holds,
            "the 90 % interval of measured − predicted, [−0.036, 0.013], lies inside ±0.1",
        ),
    ];
    let figures = FigureData {
        density: Some(density(two_wells, 0.2, 1.6, [-2.0, 3.2], 200)),
        map: None,
        mixing: Some(mixing(&finals(&findings.occupancy), 8.0, 4_000.0)),
    };
    Case { findings, figures }
}

/// (c) Three wells in the plane; `other` is visited a little.
pub fn three_wells() -> Case {
    let places = [([-1.2, -0.6], 0.0, [3.0, 6.0]), ([1.1, -0.5], 0.15, [2.0, 1.5]), ([0.1, 1.3], 0.25, [1.2, 4.0])];
    let specs: Vec<_> = places.iter().map(|(p, l, h)| (p.to_vec(), *l, MatrixSpec::Diagonal(h.to_vec()))).collect();
    let mut findings = findings(scenario("three-wells-2d", "Three wells in the plane", wells(&specs), 2), 0.25);
    findings.minima = ["A", "B", "C"]
        .iter()
        .zip(&places)
        .map(|(id, (p, l, h))| {
            let mut h = h.to_vec();
            h.sort_by(f64::total_cmp);
            minimum(id, p.to_vec(), *l, h)
        })
        .collect();
    findings.saddles = vec![
        saddle(["A", "B"], vec![-0.031, -0.542], 1.31, vec![-19.2, 3.4]),
        saddle(["B", "C"], vec![0.62, 0.43], 1.02, vec![-9.7, 2.6]),
        saddle(["A", "C"], vec![-0.56, 0.31], 1.52, vec![-14.8, 2.2]),
    ];
    findings.occupancy = vec![
        row("A", [Some(0.342), Some(0.347), None], Some((0.3442, 0.0031))),
        row("B", [Some(0.459), Some(0.451), None], Some((0.4478, 0.0034))),
        row("C", [Some(0.199), Some(0.202), None], Some((0.2062, 0.0026))),
        row("other", [None; 3], Some((0.0018, 0.0001))),
    ];
    let o = &findings.occupancy;
    findings.claims = vec![
        claim(o, Rung::Laplace, true, Verdict::Holds, "both 90 % intervals lie inside ±0.1"),
        claim(o, Rung::Gibbs, false, Verdict::Holds, "both 90 % intervals lie inside ±0.1"),
    ];
    findings.notes = vec!["The discrete law is null: to first order in δ it is trusted only where δ‖∇²L‖ ≤ 0.1 at every minimum and saddle, and here it is 0.38 at the saddle between A and B.".into()];
    let value = |x: f64, y: f64, s: f64| {
        let sum: f64 = places
            .iter()
            .map(|(p, l, h)| (-(l + 0.5 * h[0] * (x - p[0]).powi(2) + 0.5 * h[1] * (y - p[1]).powi(2)) / s).exp())
            .sum();
        -s * sum.ln()
    };
    let basin = |x: f64, y: f64| {
        let of = |(p, l, h): &([f64; 2], f64, [f64; 2])| {
            l + 0.5 * h[0] * (x - p[0]).powi(2) + 0.5 * h[1] * (y - p[1]).powi(2)
        };
        let best = (0..3).min_by(|a, b| of(&places[*a]).total_cmp(&of(&places[*b]))).unwrap();
        ["A", "B", "C"][best].to_owned()
    };
    let (xs, ys) = (grid(-3.0, 3.0, 97), grid(-3.0, 3.0, 97));
    let centre = |edges: &[f64], i: usize| (edges[i] + edges[i + 1]) / 2.0;
    let mut noise = Noise(11);
    let (mut measured, mut loss, mut basins) = (Vec::new(), Vec::new(), Vec::new());
    for j in 0..96 {
        for i in 0..96 {
            let (x, y) = (centre(&xs, i), centre(&ys, j));
            let l = value(x, y, 0.1);
            let p = 0.35 * (-l / 0.25).exp();
            let seen = p * (1.0 + 0.004 * noise.normal() / p.sqrt());
            measured.push(if p < 2e-6 { 0.0 } else { seen.max(0.0) });
            loss.push(l);
            basins.push(basin(x, y));
        }
    }
    let mut paths = Vec::new();
    for (replica, (place, start)) in places.iter().zip(["A", "B", "C"]).enumerate() {
        let mut at = place.0;
        let mut points = vec![at];
        for _ in 0..260 {
            let slope = |x: f64, y: f64| {
                let d = 1e-5;
                [
                    (value(x + d, y, 0.1) - value(x - d, y, 0.1)) / (2.0 * d),
                    (value(x, y + d, 0.1) - value(x, y - d, 0.1)) / (2.0 * d),
                ]
            };
            let g = slope(at[0], at[1]);
            for axis in 0..2 {
                at[axis] += -0.05 * g[axis] + (2.0 * 0.25 * 0.05f64).sqrt() * noise.normal();
            }
            points.push(at);
        }
        paths.push(Path2 { replica: replica as u64, start: start.into(), points });
    }
    let figures = FigureData {
        density: None,
        map: Some(MapFigure {
            variables: ["x".into(), "y".into()],
            edges: [xs, ys],
            measured,
            loss,
            basin: basins,
            paths,
        }),
        mixing: Some(mixing(&finals(&findings.occupancy[..3]), 60.0, 40_000.0)),
    };
    Case { findings, figures }
}

/// (d) Too cold to cross: no verdict can be had, some estimates are missing.
pub fn frozen() -> Case {
    let mut findings = wells_findings("frozen", "Too cold to leave a well", 0.03);
    findings.scenario.expect = Verdict::Undetermined;
    findings.expected = Verdict::Undetermined;
    findings.verdict = Some(Verdict::Undetermined);
    findings.occupancy = vec![
        row("A", [Some(0.923_81), Some(0.923_806), None], Some((1.0, 0.0))),
        row("B", [Some(0.076_19), Some(0.076_194), None], None),
    ];
    let o = &findings.occupancy;
    let reason = "B was never visited, so that there is no estimate; no transition was seen in 128 × 40,000 units of SDE \
                  time, where Kramers' time from A to B is 1.1e21. 4,300 transitions would settle it.";
    findings.claims = vec![
        claim(o, Rung::Laplace, true, Verdict::Undetermined, reason),
        claim(o, Rung::Gibbs, false, Verdict::Undetermined, reason),
    ];
    findings.diagnostics = Some(Diagnostics {
        reasons: vec!["no replica ever left the minimum in which it started".into()],
        diverged: 3,
        diverged_replicas: vec![DivergedRecord { replica: 17, step: 20_480 }],
        ..Diagnostics::default()
    });
    let stuck = [("A".to_owned(), 0.9), ("B".to_owned(), 0.1)];
    let mut mixing = mixing(&stuck, 1e12, 20_000.0);
    mixing.series[1].standard_error.fill(f64::NAN);
    let figures = FigureData { density: None, map: None, mixing: Some(mixing) };
    Case { findings, figures }
}

/// (e) Twelve minima in ten dimensions; Gibbs by a sampler, two minima hardly ever visited.
pub fn ten_dimensional() -> Case {
    let mut noise = Noise(5);
    let ids = "ABCDEFGHIJKL";
    let mut specs = Vec::new();
    let mut weights = Vec::new();
    let mut minima = Vec::new();
    for (index, id) in ids.chars().enumerate() {
        let theta: Vec<f64> = (0..10).map(|_| 1.3 * noise.normal()).collect();
        let mut h: Vec<f64> = (0..10).map(|_| 1.0 + 6.0 * noise.uniform()).collect();
        h.sort_by(f64::total_cmp);
        let loss = 0.09 * index as f64;
        weights.push((-loss / 0.15).exp() * h.iter().product::<f64>().powf(-0.5));
        specs.push((theta.clone(), loss, MatrixSpec::Diagonal(h.clone())));
        minima.push(minimum(&id.to_string(), theta, loss, h));
    }
    let total: f64 = weights.iter().sum();
    let title = "Twelve wells in ten dimensions, told apart by the determinants of their Hessians alone or nearly so";
    let mut findings = findings(scenario("ten-dimensional-wells", title, wells(&specs), 10), 0.15);
    findings.minima = minima;
    for (id, weight) in ids.chars().zip(&weights) {
        let p = weight / total;
        let error = 0.02 * (p * (1.0 - p) / 20.0).sqrt();
        let mut row = row(
            &id.to_string(),
            [Some(p), Some(p * (1.0 + 0.01 * noise.normal())), None],
            Some((p + error * noise.normal(), error)),
        );
        row.gibbs_standard_error = Some(0.003 * p);
        findings.occupancy.push(row);
    }
    let o = &findings.occupancy;
    let open = "ln(p_A/p_L) has the 90 % interval [−0.21, 0.13] around the prediction, which crosses ±0.1; about 4 times \
                as many transitions would settle it";
    findings.claims = vec![
        claim(o, Rung::Laplace, true, Verdict::Undetermined, open),
        claim(o, Rung::Gibbs, false, Verdict::Undetermined, open),
    ];
    findings.verdict = Some(Verdict::Undetermined);
    let figures =
        FigureData { density: None, map: None, mixing: Some(mixing(&finals(&findings.occupancy), 300.0, 40_000.0)) };
    Case { findings, figures }
}

/// All of them.
pub fn all() -> Vec<Case> {
    vec![double_well(), too_large_step(), three_wells(), frozen(), ten_dimensional()]
}
