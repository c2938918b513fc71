//! What of the Gibbs law lies in no basin that is asked about.

use crate::landscape::point_text;
use crate::plain::significant;
use crate::theory::gibbs::Gibbs;

/// A smaller part is no matter of words; it is in the table.
const TOLD: f64 = 0.01;

/// What is to be known of it, where it is more than a little.
pub(super) fn note(gibbs: &Gibbs) -> Option<String> {
    (gibbs.other > TOLD).then(|| {
        let place =
            gibbs.elsewhere.as_ref().map_or(String::new(), |place| format!(", as at {}", point_text(&place.theta)));
        format!(
            "{} of the Gibbs law lies in the basin of no minimum in loss.domain{place}: extend loss.domain to see what is there",
            significant(gibbs.other, 3)
        )
    })
}
