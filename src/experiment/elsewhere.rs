//! What of the Gibbs law lies in no basin that is asked about.

use super::setting::Setting;
use crate::landscape::point_text;
use crate::loss::values::values;
use crate::plain::significant;
use crate::theory::gibbs::Gibbs;
use crate::theory::visited_region;

/// A smaller part is no matter of words; it is in the table.
const TOLD: f64 = 0.01;
/// As far as the law is looked at, in T above the lowest minimum.
const HEIGHT: f64 = 45.0;
/// Places that are looked at along every coordinate, on a line and in the plane, and how many of them are followed.
const PLACES: [usize; 2] = [2_000, 80];
const FOLLOWED: usize = 200;

/// What is to be known of it, where it is more than a little.
pub(super) fn note(setting: &Setting, gibbs: &Gibbs) -> Option<String> {
    (gibbs.other > TOLD).then(|| {
        let place = lowest(setting).map_or(String::new(), |place| format!(", as at {}", point_text(&place)));
        format!(
            "{} of the Gibbs law lies in the basin of no minimum in loss.domain{place}: extend loss.domain to see what is there",
            significant(gibbs.other, 3)
        )
    })
}

/// The lowest place of all that are looked at which lies in no basin.
fn lowest(setting: &Setting) -> Option<Vec<f64>> {
    let (loss, landscape) = (setting.loss.as_ref(), setting.landscape.as_ref());
    let region = visited_region(loss, landscape, &landscape.region, setting.effective_temperature(), HEIGHT)?;
    let along = PLACES[region.len() - 1];
    let place = |index: usize| -> Vec<f64> {
        let part = |axis: usize| (index / along.pow(axis as u32) % along) as f64 / (along - 1) as f64;
        region.iter().enumerate().map(|(axis, [low, high])| low + (high - low) * part(axis)).collect()
    };
    let places: Vec<Vec<f64>> = (0..along.pow(region.len() as u32)).map(place).collect();
    let losses = values(loss, &places.concat());
    let mut order: Vec<usize> = (0..places.len()).filter(|&index| losses[index].is_finite()).collect();
    order.sort_by(|&a, &b| losses[a].total_cmp(&losses[b]));
    // Every so many, from the lowest on: those of the known wells may come first.
    let stride = order.len().div_ceil(FOLLOWED).max(1);
    let followed = order.into_iter().step_by(stride).map(|index| &places[index]);
    followed.into_iter().find(|place| landscape.basins.flow_from(place).is_none()).cloned()
}
