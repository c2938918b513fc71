//! Losses under which there is no stationary law: a run can seem at rest for as long as it lasts, and nothing follows from it.

use crate::support::Workplace;

/// A scenario of so many steps that its replicas hardly ever leave the wells.
fn scenario(loss: &str, noise: &str, more: &str) -> String {
    format!(
        r#"
name = "lawless"
{more}
[loss]
kind = "expression"
{loss}
[noise]
{noise}
[sgd]
learning_rate = 0.05
batch_size = 1
[ensemble]
replicas = 64
steps = 20_000
burn_in = 2_000
"#
    )
}

const FLAT: &str = r#"variables = ["x"]
formula = "-exp(-(x-2)^2) - 1.05*exp(-(x+2)^2/1.2)"
domain = [[-4.0, 4.0]]"#;
const FALLING: &str = r#"variables = ["x"]
formula = "x^4/4 - x^2/2 + 0.02*x - 0.02*x^6"
domain = [[-1.6, 1.6]]"#;
const PLANE: &str = r#"variables = ["x", "y"]
formula = "-exp(-(x-2)^2-y^2) - 1.05*exp(-(x+2)^2-y^2)"
domain = [[-4.0, 4.0], [-2.0, 2.0]]"#;
const QUIET: &str = "kind = \"isotropic\"\nsigma = 2.0";

#[test]
fn nothing_holds_and_nothing_is_rejected_without_a_law() {
    let wide = "[test]\ntolerance = 100.0\n";
    let narrow = "[test]\ntolerance = 1e-9\n";
    let cases = [
        ("flat", scenario(FLAT, QUIET, "") + wide),
        ("flat, narrow", scenario(FLAT, QUIET, "") + narrow),
        ("falling", scenario(FALLING, QUIET, "") + wide),
        ("falling, narrow", scenario(FALLING, QUIET, "") + narrow),
        (
            // D grows so slowly that D⁻¹e^(−Φ) does not fall off where L is flat.
            "of theta",
            scenario(FLAT, "kind = \"expression\"\nsigma = \"2 + 0.1*tanh(x)\"", "") + wide,
        ),
        (
            "density on a line",
            scenario(FLAT, QUIET, "experiment = \"density\"") + "[test]\nagainst = \"laplace\"\ntolerance = 1.0\n",
        ),
        (
            "density in the plane",
            scenario(PLANE, QUIET, "experiment = \"density\"") + "[test]\nagainst = \"laplace\"\ntolerance = 1.0\n",
        ),
        (
            "scaling",
            scenario(FLAT, QUIET, "experiment = \"scaling\"")
                + "[scaling]\nbeta = [1, 2]\n[test]\nagainst = \"laplace\"\ntolerance = 100.0\n",
        ),
    ];
    for (case, text) in cases {
        let here = Workplace::new();
        here.write("lawless.toml", &text);
        let told = here.run(&["run", "lawless.toml"]).expect(1);
        let result = here.json("output/lawless/result.json");
        assert_eq!(result["verdict"], "undetermined", "{case}: {}", told.out);
        let claims = result["claims"].as_array().unwrap();
        assert!(
            !claims.is_empty() && claims.iter().all(|claim| claim["verdict"] == "undetermined"),
            "{case}: {claims:?}"
        );
        let reasons = claims.iter().find(|claim| claim["primary"] == true).unwrap()["reason"].to_string();
        assert!(reasons.contains("theory finds no stationary law"), "{case}: {reasons}");
        assert_eq!(result["diagnostics"]["equilibrated"], false, "{case}");
        // More steps would settle nothing, and none are offered.
        assert!(!told.err.contains("--continue"), "{case}: {}", told.err);
        let check = here.run(&["check", "lawless.toml"]).expect(0).out;
        assert!(check.contains("law    NONE") && check.contains("only be UNDETERMINED"), "{case}: {check}");
        assert!(!check.contains("HOLDS with"), "{case}: {check}");
    }
}

#[test]
fn without_a_law_nothing_is_continued() {
    let here = Workplace::new();
    here.write("lawless.toml", scenario(FLAT, QUIET, ""));
    here.run(&["run", "lawless.toml", "--quiet"]).expect(1);
    let answer = here.run(&["run", "lawless.toml", "--continue"]).expect(2);
    assert!(answer.err.contains("more steps would not settle it"), "{}", answer.err);
}

/// The same wells with a loss that rises around them have a law.
#[test]
fn a_rising_loss_has_a_law() {
    let here = Workplace::new();
    let rising = FLAT.replace("1.2)\"", "1.2) + 1e-3*x^4\"");
    here.write("lawless.toml", scenario(&rising, QUIET, ""));
    let check = here.run(&["check", "lawless.toml"]).expect(0).out;
    assert!(!check.contains("law    NONE"), "{check}");
}
