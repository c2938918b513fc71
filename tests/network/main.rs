//! Networks: gradients and curvature against finite differences and against JAX.

mod differences;
mod limits;
mod loss;
mod noise;

mod reference;
mod support;
mod weighted;
