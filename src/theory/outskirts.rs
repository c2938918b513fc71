//! Beyond the wall around the wells. A loss that comes down again out there has mass there too, or exp(−L/T) has no finite integral; what
//! the law would be without it is the law of no run that lasts for ever.
//!
//! A ray is looked along at places ever farther apart, to a million times the size of the wells. A dip between two of them is followed to
//! its bottom. A well that is narrower than the looks lie apart, a part of 1/300 of the way on a line and 1/30 elsewhere, and has no walls that
//! show, can be missed; so can one that lies between the rays.

use super::gibbs::DECAY;
use crate::landscape::{Landscape, quasi_newton};
use crate::loss::{Loss, values::values};
use crate::random::{Purpose, stream::Stream};

/// What is higher, in T above the lowest minimum, has no mass that any integral sees; what is lower has some, e^(−20) = 2·10⁻⁹.
const WALL: f64 = 36.0;
pub(super) const LOW: f64 = 20.0;
/// The first look is so far out, in parts of the region's size, and each is farther from the one before by this factor.
const FIRST: f64 = 0.01;
const LOOKS: Looks = Looks { farther: 1.03, count: 540 };
/// A line has two rays alone.
const LOOKS_ON_A_LINE: Looks = Looks { farther: 1.003, count: 4_600 };
/// The same of a fall without end, which no look can miss.
const LOOKS_FAR_BELOW: Looks = Looks { farther: 2.0, count: 28 };
/// So many dips are followed, the lowest of all.
const DIPS: usize = 64;
/// Rays that leave each side of a box, along each of its edges.
const ALONG: usize = 5;
/// Rays in random directions, and along at most so many axes, where there is no box.
const RANDOM: usize = 32;
const AXES: usize = 64;

/// A place, and how high it lies.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// θ.
    pub theta: Vec<f64>,
    /// L there.
    pub loss: f64,
}

impl Place {
    /// The lower of two that may be there, the first of two alike.
    pub(super) fn lower(one: Option<Self>, other: Option<Self>) -> Option<Self> {
        one.into_iter().chain(other).min_by(|a, b| a.loss.total_cmp(&b.loss))
    }
}

/// A place farther out on a line than the part that holds the wells, where exp(−L/T) is more than next to nothing although there is a wall
/// before it. The part is `ends`.
pub(super) fn beyond_ends(loss: &dyn Loss, landscape: &Landscape, ends: [f64; 2], temperature: f64) -> Option<Place> {
    let rays = ends.into_iter().zip([-1.0, 1.0]).map(|(end, sign)| Ray { from: vec![end], direction: vec![sign] });
    beyond(loss, landscape.minima[0].loss, rays.collect(), &[ends], temperature)
}

/// The same on one side alone, heights counted from a place with the loss `bottom`.
pub(super) fn beyond_end(loss: &dyn Loss, bottom: f64, ends: [f64; 2], side: usize, temperature: f64) -> Option<Place> {
    let ray = Ray { from: vec![ends[side]], direction: vec![[-1.0, 1.0][side]] };
    beyond(loss, bottom, vec![ray], &[ends], temperature)
}

/// The same outside of a box that holds the wells.
pub(super) fn beyond_box<const D: usize>(
    loss: &dyn Loss,
    landscape: &Landscape,
    region: &[[f64; 2]; D],
    temperature: f64,
) -> Option<Place> {
    beyond(loss, landscape.minima[0].loss, rays_out_of(region), region, temperature)
}

fn beyond(loss: &dyn Loss, lowest: f64, rays: Vec<Ray>, region: &[[f64; 2]], temperature: f64) -> Option<Place> {
    let size = region.iter().map(|[low, high]| high - low).fold(0.0, f64::max);
    let height = |value: f64| (value - lowest) / temperature;
    let mut dips: Vec<Dip> = Vec::new();
    for ray in rays {
        let looks = ray.looks(loss, size, if region.len() == 1 { LOOKS_ON_A_LINE } else { LOOKS });
        let wall = looks.iter().position(|look| height(look.loss) > WALL).unwrap_or(looks.len());
        let behind = &looks[wall..];
        if let Some(first) = behind.iter().position(|look| height(look.loss) < LOW) {
            return Some(bottom_from(&behind[first..]).clone());
        }
        dips.extend(dips_between(behind));
    }
    dips.sort_by(|a, b| a.middle.loss.total_cmp(&b.middle.loss));
    dips.iter().take(DIPS).find_map(|dip| {
        let theta = quasi_newton(loss, &dip.middle.theta, dip.width)?;
        let bottom = loss.value(&theta);
        let is_outside = theta.iter().zip(region).any(|(x, [low, high])| !(low..=high).contains(&x));
        let is_here = theta.iter().zip(&dip.middle.theta).all(|(a, b)| (a - b).abs() <= dip.width);
        (height(bottom) < LOW && is_outside && is_here).then_some(Place { theta, loss: bottom })
    })
}

/// A place so low that exp(−L/T) is next to nothing at the lowest minimum beside it, in any dimension.
pub(super) fn far_below(
    loss: &dyn Loss,
    landscape: &Landscape,
    domain: &[[f64; 2]],
    temperature: f64,
) -> Option<Place> {
    let lowest = &landscape.minima[0];
    let size = domain.iter().map(|[low, high]| high - low).fold(0.0, f64::max);
    let axes = (0..domain.len().min(AXES)).flat_map(|axis| {
        [-1.0, 1.0].map(|sign| (0..domain.len()).map(|i| if i == axis { sign } else { 0.0 }).collect::<Vec<f64>>())
    });
    let mut stream = Stream::new(0, 5, Purpose::Landscape);
    let mixed: Vec<Vec<f64>> =
        (0..RANDOM).map(|_| domain.iter().map(|_| 2.0 * stream.uniform() - 1.0).collect()).collect();
    axes.chain(mixed).find_map(|direction| {
        let looks = Ray { from: lowest.theta.clone(), direction }.looks(loss, size, LOOKS_FAR_BELOW);
        looks.into_iter().find(|look| look.loss < lowest.loss - DECAY * temperature)
    })
}

/// How far apart looks lie, and how many there are.
#[derive(Clone, Copy)]
struct Looks {
    farther: f64,
    count: i32,
}

/// Outwards from a place.
struct Ray {
    from: Vec<f64>,
    direction: Vec<f64>,
}

impl Ray {
    /// Places farther and farther out, with L there, as far as it is defined.
    fn looks(&self, loss: &dyn Loss, size: f64, Looks { farther, count }: Looks) -> Vec<Place> {
        let reach = |look: i32| FIRST * size * (crate::math::powi(farther, look) - 1.0) / (farther - 1.0);
        let at = |reach: f64| self.from.iter().zip(&self.direction).map(|(x, v)| x + reach * v).collect();
        let places: Vec<Vec<f64>> = (1..=count).map(|look| at(reach(look))).collect();
        let losses = values(loss, &places.concat());
        let looks = places.into_iter().zip(losses).map(|(theta, loss)| Place { theta, loss });
        looks.take_while(|look| look.loss < f64::INFINITY).collect()
    }
}

/// From its sides, away from its center.
fn rays_out_of<const D: usize>(region: &[[f64; 2]; D]) -> Vec<Ray> {
    let along = if D == 2 { ALONG * ALONG } else { ALONG };
    let per_side = along.pow(D as u32 - 1);
    let ray = |axis: usize, sign: f64, index: usize| {
        // Within the cube [−1, 1]ᵈ.
        let mut left = index;
        let direction: Vec<f64> = (0..D)
            .map(|i| {
                if i == axis {
                    return sign;
                }
                let part = left % along;
                left /= along;
                (2 * part + 1) as f64 / along as f64 - 1.0
            })
            .collect();
        let place = |(v, [low, high]): (&f64, &[f64; 2])| 0.5 * (low + high) + 0.5 * v * (high - low);
        Ray { from: direction.iter().zip(region).map(place).collect(), direction }
    };
    let sides = (0..D).flat_map(|axis| [(axis, -1.0), (axis, 1.0)]);
    sides
        .flat_map(|(axis, sign)| (0..per_side).map(move |index| (axis, sign, index)))
        .map(|(a, s, i)| ray(a, s, i))
        .collect()
}

/// The first bottom, or the first place where there is none.
fn bottom_from(looks: &[Place]) -> &Place {
    let bottom = looks.windows(2).position(|two| two[1].loss >= two[0].loss);
    &looks[bottom.unwrap_or(0)]
}

/// A place on a ray that is lower than those before and after it.
struct Dip {
    middle: Place,
    /// From the place before to that after it.
    width: f64,
}

fn dips_between(looks: &[Place]) -> impl Iterator<Item = Dip> + '_ {
    looks.windows(3).filter(|three| three[1].loss < three[0].loss && three[1].loss < three[2].loss).map(|three| {
        let width = three[2].theta.iter().zip(&three[0].theta).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        Dip { middle: three[1].clone(), width }
    })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use crate::landscape::Landscape;
    use crate::loss::expression::Expression;
    use crate::theory::gibbs::{self, Gibbs, NoGibbs};

    fn law(formula: &str, domain: &[[f64; 2]], temperature: f64) -> Result<Gibbs, NoGibbs> {
        let names: Vec<String> = ["x", "y", "z", "w"][..domain.len()].iter().map(ToString::to_string).collect();
        let loss = Arc::new(Expression::new(&names, &[], formula).unwrap());
        let landscape = Landscape::explore(loss.clone(), domain).unwrap();
        gibbs::law(loss.as_ref(), &landscape, domain, temperature)
    }

    /// Walls of 41 to 400 T, behind which L falls without end, or to a well: a wide one, and one of width 0.02.
    #[test]
    fn what_lies_behind_a_wall_is_seen() {
        let falling = "x^4/4 - x^2/2 - 0.016*x^6";
        let well = "min(min((x+1)^2, (x-1)^2 + 0.1), 200*(x-6)^2 - 1)";
        for (formula, dimension, reach, temperature) in [
            (falling.to_string(), 1, 2.0, 0.1),
            ("x^4/4 - x^2/2 - 0.0016*x^6".to_string(), 1, 2.0, 1.0),
            ("x^4/4 - x^2/2 + 0.01*x^5".to_string(), 1, 2.0, 0.1),
            ("x^2*(1 - 1e-9*x^2)".to_string(), 1, 2.0, 0.1),
            (well.to_string(), 1, 3.0, 0.1),
            ("(x^2 - 1)^2 - 40*exp(-(x - 100)^2/50)*(x - 1)^4".to_string(), 1, 2.0, 0.1),
            (format!("{falling} + y^2/2"), 2, 2.0, 0.1),
            ("(x^2 - 1)^2 + y^2 - 0.01*(x + y)^6".to_string(), 2, 1.5, 0.01),
            (format!("{well} + y^2"), 2, 3.0, 0.1),
            ("(x^2 - 1)^2 + y^2/2 + z^2/2 - 0.001*z^6".to_string(), 3, 1.5, 0.05),
            (format!("{falling} + y^2/2 + z^2/2 + w^2/2"), 4, 2.0, 0.1),
        ] {
            let found = law(&formula, &vec![[-reach, reach]; dimension], temperature);
            assert!(found.as_ref().is_err_and(NoGibbs::is_without_end), "{formula}: {found:?}");
        }
        // Holes of a hundredth of their distance, and of a third of a hundredth.
        for hole in ["2048*exp(-(x - 8)^2/0.02)", "1e7*exp(-(x - 60)^2/0.02)", "1e8*exp(-(x + 90)^2/0.045)"] {
            let found = law(&format!("(x^2 - 1)^2/4 + 0.1*x - {hole}"), &[[-3.0, 3.0]], 0.1);
            assert!(matches!(&found, Err(NoGibbs::FallsBeyond(_))), "{hole}: {found:?}");
        }
        // Between two looks a well shows by its walls alone.
        let narrow = "min((x^2 - 1)^2, 2e5*(x - 31.7)^2 - 1)";
        let found = law(narrow, &[[-2.0, 2.0]], 0.1);
        assert!(matches!(&found, Err(NoGibbs::FallsBeyond(low)) if (low.theta[0] - 31.7).abs() < 0.01), "{found:?}");
        // Beyond three dimensions it is no matter of a sampler that would not mix.
        let found = law(&format!("{falling} + y^2/2 + z^2/2 + w^2/2"), &[[-2.0, 2.0]; 4], 0.1);
        assert!(matches!(found, Err(NoGibbs::FallsBeyond(_))), "{found:?}");
        let Err(NoGibbs::FallsBeyond(low)) = law(well, &[[-3.0, 3.0]], 0.1) else { panic!() };
        assert!((low.theta[0] - 6.0).abs() < 0.2 && low.loss < -0.5, "{low:?}");
        // With the well in the domain all of the law is known.
        let known = law(well, &[[-3.0, 8.0]], 0.1).unwrap();
        assert!(known.occupancies[0] > 0.99 && known.other < 1e-12, "{known:?}");
    }

    /// Ripples, wells that lie apart, walls that end, valleys that bend, and cold.
    #[test]
    fn what_rises_for_good_has_its_law() {
        for (formula, dimension, reach, temperature) in [
            ("x^4/4 - x^2/2 + 0.1*x", 1, 3.0, 1e-6),
            ("x^2/40 + 0.4*cos(3*x)", 1, 4.0, 0.05),
            ("x^2 - log(1 - x^2)", 1, 0.9, 0.01),
            ("log(1 + x^2)", 1, 3.0, 0.1),
            ("log(1 + x^2)", 1, 3.0, 0.5),
            ("exp(x) - x", 1, 3.0, 0.1),
            ("x^2 + 0.5*sin(40*x)", 1, 1.0, 0.001),
            ("(1 - x)^2 + 25*(y - x^2)^2", 2, 2.0, 0.05),
            ("(x^2 - 1)^2 + y^2/2 + 0.05*cos(20*y)", 2, 2.0, 0.02),
            ("(x^2 + y^2 - 1)^2 + 0.1*x", 2, 2.0, 0.02),
            ("x^4/4 - x^2/2 + y^2/2 + z^2/2", 3, 2.0, 0.1),
        ] {
            let found = law(formula, &vec![[-reach, reach]; dimension], temperature);
            assert!(!matches!(found, Err(NoGibbs::FallsBeyond(_))), "{formula}: {found:?}");
        }
    }
}
