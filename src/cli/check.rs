//! `sgd-sde check`: is the scenario sound, what will it cost, what can it show?

use sgd_sde::experiment::fastest::{self, Faster};
use sgd_sde::experiment::forecast::{Forecast, Of, Outlook, Target};
use sgd_sde::statistics::memory::LARGEST_BIAS;
use sgd_sde::statistics::transitions::{FEWEST, PLANNED};

use sgd_sde::plain::{exact, significant};
use sgd_sde::scenario::{Loaded, Scenario};

use super::output::print;
use super::{Failure, ScenarioArguments, study};

pub(super) fn check(arguments: &ScenarioArguments) -> Result<(), Failure> {
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    for loaded in arguments.load()? {
        if loaded.scenario.study.is_some() {
            print(&study::check(&loaded, threads)?)?;
            continue;
        }
        let name = &loaded.scenario.name;
        let forecast = Forecast::of(&loaded, threads).map_err(|error| Failure::of(name, error))?;
        let faster = fastest::faster(&loaded, &forecast, threads);
        let lines =
            [text(name, &forecast, threads), scheme(&loaded, &forecast), faster.map_or(String::new(), |it| saved(&it))];
        print(lines.iter().filter(|line| !line.is_empty()).cloned().collect::<Vec<_>>().join("\n").as_str())?;
    }
    Ok(())
}

/// What the scheme does to the law, where that is counted.
fn scheme(loaded: &Loaded, forecast: &Forecast) -> String {
    let Some(bias) = forecast.scheme_bias else { return String::new() };
    let as_written = loaded.written_step.map_or(String::new(), |written| {
        format!(
            "; numbers of steps named here are of this length: in the scenario, whose steps are of {}, write {} times as many",
            exact(written),
            significant(loaded.scenario.step() / written, 4)
        )
    });
    let more = loaded.written_step.map(|written| written / loaded.scenario.step()).filter(|more| *more > 1.0);
    let more = more.map_or(String::new(), |more| {
        format!(
            "; that is {} times as many steps as are written, since of none longer it is known that it would do",
            significant(more, 3)
        )
    });
    format!(
        "  scheme {}; off the SDE's law by at most {} in log-odds, which is counted{more}{as_written}",
        steps_and_looks(&loaded.scenario, forecast.observe_every),
        significant(bias, 2)
    )
}

/// What the fastest scheme would save, and the words that take it.
fn saved(faster: &Faster) -> String {
    let [its, written] = faster.seconds;
    format!(
        "  faster {}: about {} in place of {} for the same SDE time, off the SDE's law by at most {} in log-odds, which is then counted: \
         --set dynamics.kind=fastest",
        steps_and_looks(&faster.scenario, faster.observe_every),
        brief(its),
        brief(written),
        significant(faster.bias, 2)
    )
}

fn steps_and_looks(scenario: &Scenario, observe_every: u64) -> String {
    format!(
        "{} with steps of {}, {} of each replica, a look every {observe_every}",
        scenario.dynamics.title(),
        exact(scenario.step()),
        quantity(scenario.ensemble.steps as f64)
    )
}

/// A standard error of log-odds or of ln ratio that no tolerance is wide enough for: a factor of e¹⁰.
const LARGEST_ERROR: f64 = 10.0;

fn text(name: &str, forecast: &Forecast, threads: usize) -> String {
    let mut lines = vec![
        match forecast.of {
            Of::Minima(1) => format!("{name}: sound, 1 minimum"),
            Of::Minima(minima) => format!("{name}: sound, {minima} minima"),
            Of::Network(parameters) => format!("{name}: sound, a network of {parameters} parameters in training"),
        },
        format!(
            "  cost   {}{}{} trajectory-steps, about {} on {threads} threads, about {:.0} MB",
            if forecast.target.is_some() { "at most " } else { "" },
            if forecast.ensembles > 1 { format!("{} ensembles, ", forecast.ensembles) } else { String::new() },
            quantity(forecast.trajectory_steps),
            duration(forecast.seconds),
            forecast.memory / 1e6
        ),
    ];
    if forecast.seconds_of_theory > 1.0 {
        lines.push(format!(
            "         of which {} are the theory's, before the first step, as they were just now",
            duration(forecast.seconds_of_theory)
        ));
    }
    lines.extend(forecast.doubt.iter().chain(&forecast.elsewhere).map(|doubt| format!("  domain {doubt}")));
    if let Some(reason) = &forecast.no_law {
        lines.push(format!("  law    NONE: {reason}; the verdict can only be UNDETERMINED"));
        return lines.join("\n");
    }
    if let Some(step) = &forecast.too_large_step {
        lines.push(format!("  step   TOO LARGE {step}"));
        return lines.join("\n");
    }
    if let Some(target) = &forecast.target {
        lines.extend(plan(target, forecast.tolerance));
    }
    if let Some((pair, time)) = &forecast.slowest {
        lines.push(format!(
            "  mixing slowest escape {pair}: mean time {}; each replica covers {}, {:.1} times as long",
            quantity(*time),
            quantity(forecast.time),
            forecast.time / time
        ));
    }
    if let Some(remembered) = &forecast.remembered {
        lines.push(format!(
            "  start  NOT forgotten: the burn-in is {:.1} of the times that the two wells take to forget where replicas start; \
             the log-odds would be off by up to {:.1} standard errors where {LARGEST_BIAS} are allowed; burn_in = {} would do",
            remembered.burn_in,
            remembered.size,
            quantity(remembered.wanted.ceil())
        ));
    }
    lines.extend(forecast.fewest_transitions.filter(|fewest| *fewest < PLANNED).map(|fewest| {
        format!(
            "  few    about {} transitions that count are expected between the two minima that exchange least; a verdict needs {FEWEST}, \
             which are seen in 97 of 100 runs with {} times as many replicas × steps",
            quantity(fewest),
            quantity(PLANNED / fewest)
        )
    }));
    if let Some(softest) = &forecast.softest {
        lines.push(format!("  start  NOT forgotten: {softest}; the verdict could only be UNDETERMINED"));
    }
    if let Some(outlook) = &forecast.outlook {
        lines.extend(power(outlook, forecast.tolerance));
        return lines.join("\n");
    }
    if let Of::Network(_) = forecast.of {
        return lines.join("\n");
    }
    // Beyond this an error says nothing any more but that next to nothing happens.
    if forecast.standard_error.is_some_and(|error| error > LARGEST_ERROR) {
        lines.push(format!(
            "  power  none: {}, and a standard error of {} would be above {LARGEST_ERROR}: the run will not settle the question",
            forecast.transitions.map_or("too little is seen to move".into(), |transitions| format!(
                "about {} transitions are expected",
                quantity(transitions)
            )),
            forecast.quantity
        ));
        return lines.join("\n");
    }
    match (forecast.transitions, forecast.standard_error) {
        (Some(transitions), Some(error)) => lines.push(format!(
            "  power  about {} transitions expected: standard error {error:.3$} of {}{}",
            quantity(transitions),
            forecast.quantity,
            if matches!(forecast.of, Of::Minima(3..)) && forecast.ensembles == 1 {
                ", the rarest contrast"
            } else {
                ""
            },
            if error < 0.01 { 4 } else { 2 }
        )),
        (None, Some(error)) => lines.push(format!("  power  standard error {error:.4} of {}", forecast.quantity)),
        (Some(transitions), None) if transitions < FEWEST => lines.push(format!(
            "  power  none: about {} transitions that count are expected: the run will not settle the question",
            quantity(transitions)
        )),
        (Some(transitions), None) => lines.push(format!(
            "  power  about {} transitions expected in all{}",
            quantity(transitions),
            if matches!(forecast.of, Of::Minima(3..)) {
                "; the rarest minimum decides the error, and it is not known for this case"
            } else {
                ": too few for an error"
            }
        )),
        _ => lines.push("  power  unknown: no escape time is predicted for this case".into()),
    }
    if let Some((difference, best)) = forecast.bias {
        let verdict = if difference > forecast.tolerance { "beyond" } else { "within" };
        lines.push(format!(
            "         the tested rung is {difference:.3} in {} from {best}, {verdict} ε = {}: {}",
            if forecast.ensembles > 1 { &forecast.quantity } else { "log-odds" },
            forecast.tolerance,
            if difference > forecast.tolerance { "a long run will reject it" } else { "a long run will confirm it" }
        ));
    }
    if let Some(steps) = forecast.steps_wanted {
        lines.push(format!(
            "         HOLDS with 90 % power needs about {} steps per replica, if the best rung is true",
            quantity(steps)
        ));
    }
    lines.join("\n")
}

/// The power of a question that is not about log-odds.
fn power(outlook: &Outlook, tolerance: f64) -> Vec<String> {
    let quantity = outlook.quantity;
    let mut lines =
        vec![format!("  power  chance puts {quantity} off by about {:.4}; ε = {tolerance}", outlook.chance)];
    if let Some(bias) = outlook.bias {
        let verdict = if bias > tolerance {
            "beyond ε: a long run will reject it"
        } else {
            "within ε: a long run will confirm it"
        };
        lines.push(format!(
            "         the finite step and what else is left out put it off by about {bias:.4}, {verdict}"
        ));
    }
    if let Some(steps) = outlook.steps_wanted {
        lines.push(format!("         HOLDS with 90 % power needs about {} steps per replica", self::quantity(steps)));
    }
    if let Some(replicas) = outlook.replicas_wanted {
        lines.push(format!("         HOLDS with 90 % power needs about {} replicas", self::quantity(replicas)));
    }
    lines
}

/// What the pilot will come to.
fn plan(target: &Target, tolerance: f64) -> Vec<String> {
    let Target { standard_error, most, expected, .. } = *target;
    let steps = match target.steps {
        Some(steps) if steps > most => format!(
            "needs about {} steps per replica, more than the {} of ensemble.steps, which then are run: about {} is \
             reached",
            quantity(steps),
            quantity(most),
            significant(expected, 3)
        ),
        Some(steps) => format!("needs about {} of the {} steps per replica", quantity(steps), quantity(most)),
        None => format!("needs as many of the {} steps per replica as a pilot will tell", quantity(most)),
    };
    let mut lines = vec![format!("  plan   a standard error of {standard_error} {steps}; a pilot fixes the number")];
    if let Some(probability) = target.holds {
        lines.push(format!(
            "         with an error of {} and ε = {tolerance} an exactly true claim HOLDS with {:.0} % probability",
            significant(expected, 3),
            100.0 * probability
        ));
    }
    lines
}

/// 12,345 or 1.2e9.
pub(super) fn quantity(x: f64) -> String {
    match x {
        0.0 => "0".to_owned(),
        x if x < 100.0 => format!("{x:.2}"),
        x if x < 1e6 => format!("{x:.0}"),
        x => format!("{x:.2e}"),
    }
}

/// As [`duration`], with digits for what takes less than a second.
fn brief(seconds: f64) -> String {
    if seconds < 1.0 { format!("{} s", significant(seconds, 2)) } else { duration(seconds) }
}

pub(super) fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 120.0 => format!("{s:.1} s"),
        s if s < 7_200.0 => format!("{:.0} min", s / 60.0),
        s if s < 172_800.0 => format!("{:.0} h", s / 3_600.0),
        s => format!("{:.0} days", s / 86_400.0),
    }
}
