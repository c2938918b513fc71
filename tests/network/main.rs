//! Networks: gradients and curvature against finite differences and against JAX.

mod differences;
mod labels;
mod limits;
mod loss;
mod noise;

mod reference;
mod support;
mod weighted;
