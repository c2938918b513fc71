//! What is refused only when data and network are there.

use crate::support::{scenario, try_run};

fn refused(sgd: &str, scaling: &str) -> String {
    let loaded = scenario("curves", &format!("[sgd]\n{sgd}\n[training]\nepochs = 1\n[scaling]\n{scaling}\n"));
    try_run(&loaded).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn curves_are_compared_with_those_of_the_scenario_itself() {
    let error = refused("learning_rate = 0.1\nbatch_size = 1", "beta = [2, 4]");
    assert!(error.contains("scaling.beta[0]") && error.contains("begin with 1"), "{error}");
}
