//! The scenarios of the whole runs, as short as they can be: two wells that are left often, and bowls of curvature 1.

pub const WELLS: &str = r#"
name = "two-wells"
experiment = "equilibrium"
[loss]
kind = "wells"
smoothing = 0.1
domain = [[-3.0, 3.0]]
[[loss.well]]
position = [-0.65]
loss = 0.0
hessian = 8.0
[[loss.well]]
position = [0.65]
loss = 0.05
hessian = 1.5
[noise]
kind = "isotropic"
sigma = 2.0
[sgd]
learning_rate = 0.1
batch_size = 1
[dynamics]
kind = "euler-maruyama"
step = 0.02
[ensemble]
start = "minima"
[test]
tolerance = 0.3
"#;

pub const BOWL: &str = r#"
name = "a-bowl"
experiment = "covariance"
[loss]
kind = "quadratic"
eigenvalues = [1.0]
domain = [[-8.0, 8.0]]
[noise]
kind = "isotropic"
sigma = 1.0
[sgd]
learning_rate = 1.0
batch_size = 1
[dynamics]
kind = "euler-maruyama"
step = 0.1
[ensemble]
start = "minima"
[test]
tolerance = 0.1
against = "discrete"
"#;

/// A density in a bowl.
pub const BOWL_DENSITY: &str = r#"
name = "a-bowl-s-density"
experiment = "density"
[loss]
kind = "quadratic"
eigenvalues = [1.0]
domain = [[-8.0, 8.0]]
[noise]
kind = "isotropic"
sigma = 1.0
[sgd]
learning_rate = 1.0
batch_size = 1
[dynamics]
kind = "euler-maruyama"
step = 0.1
[ensemble]
start = "minima"
[test]
tolerance = 0.04
against = "gibbs"
"#;

pub const BOWL_PAIR: &str = r#"
name = "a-bowl-at-two-temperatures"
experiment = "temperature-pair"
[loss]
kind = "quadratic"
eigenvalues = [1.0]
domain = [[-8.0, 8.0]]
[noise]
kind = "isotropic"
sigma = 1.0
[sgd]
learning_rate = 1.0
batch_size = 1
[temperature_pair]
factor = 2.0
[dynamics]
kind = "euler-maruyama"
step = 0.1
[ensemble]
start = "minima"
[test]
tolerance = 0.15
"#;

pub const BOWL_SCALING: &str = r#"
name = "eta-and-s-in-a-bowl"
experiment = "scaling"
[loss]
kind = "quadratic"
eigenvalues = [1.0]
domain = [[-8.0, 8.0]]
[noise]
kind = "isotropic"
sigma = 1.0
[sgd]
learning_rate = 0.1
batch_size = 1
[dynamics]
kind = "sgd"
[ensemble]
start = "minima"
observe_every = 1
[scaling]
beta = [1, 2]
[test]
tolerance = 0.1
against = "discrete"
"#;

/// Two wells at three n.
pub const CROSSING: &str = r#"
name = "two-wells-at-three-n"
experiment = "crossover"
[loss]
kind = "wells"
smoothing = 0.1
domain = [[-3.0, 3.0]]
[[loss.well]]
position = [-0.65]
loss = 0.0
hessian = 8.0
[[loss.well]]
position = [0.65]
loss = 0.3
hessian = 1.5
[noise]
kind = "isotropic"
sigma = 2.0
[sgd]
learning_rate = 0.1
batch_size = 1
[dynamics]
kind = "euler-maruyama"
step = 0.02
[ensemble]
start = "minima"
[test]
tolerance = 0.3
against = "discrete"
[crossover]
factors = [0.7, 1.0, 1.4]
slope_tolerance = 0.15
"#;

/// SGD and its SDE in a bowl at a fixed time.
pub const ORDERS: &str = r#"
name = "orders"
experiment = "weak-error"
[loss]
kind = "quadratic"
eigenvalues = [1.0]
[noise]
kind = "isotropic"
sigma = 1.0
[sgd]
batch_size = 1
[ensemble]
replicas = 1000
start = [[1.0]]
[weak_error]
time = 1.0
learning_rates = [0.2, 0.1, 0.05]
observables = ["θ^2"]
substeps = 8
[test]
tolerance = 0.1
"#;
