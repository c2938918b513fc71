//! How independent ensembles pull at an estimate: the delta method, with all correlations kept.

/// Influences of independent ensembles on logarithms of masses, ensembles × states, up to a constant per state: ensemble
/// e by itself would have estimated ln p_k as higher by r_ek − ⟨r_k⟩. The last state is `other`.
#[derive(Clone, Debug, PartialEq)]
pub struct Influences {
    rows: Vec<Vec<f64>>,
}

impl Influences {
    /// From the fractions of time that every ensemble spent in each state: r_ek = p_ek/p̄_k, 0 for a state never seen.
    pub(super) fn of_fractions(fractions: &[Vec<f64>], means: &[f64]) -> Self {
        let row = |row: &Vec<f64>| {
            row.iter().zip(means).map(|(fraction, mean)| if *mean > 0.0 { fraction / mean } else { 0.0 }).collect()
        };
        Self { rows: fractions.iter().map(row).collect() }
    }

    /// From rows, one per ensemble.
    pub(super) fn from_rows(rows: Vec<Vec<f64>>) -> Self {
        Self { rows }
    }

    /// Influences on ln p_k + factor · x_k, where `shift` holds those on x_k.
    pub(crate) fn plus(&self, factor: f64, shift: &Influences) -> Self {
        let sum = |(row, by): (&Vec<f64>, &Vec<f64>)| row.iter().zip(by).map(|(r, x)| r + factor * x).collect();
        Self { rows: self.rows.iter().zip(&shift.rows).map(sum).collect() }
    }

    /// Standard error of ln(p_a/p_b).
    pub fn log_odds_standard_error(&self, a: usize, b: usize) -> f64 {
        self.standard_error(|row| row[a] - row[b])
    }

    /// Standard error of the quantity that state k stands for.
    pub fn state_standard_error(&self, k: usize) -> f64 {
        self.standard_error(|row| row[k])
    }

    /// Standard errors of occupancies in proportion to the masses of which these are the influences, where `other` is what
    /// lies in no basin and keeps its share.
    pub fn occupancy_standard_errors(&self, occupancies: &[f64], other: f64) -> Vec<f64> {
        let inside = 1.0 - other;
        (0..occupancies.len())
            .map(|k| {
                let influence = |row: &[f64]| {
                    let all: f64 = occupancies.iter().zip(row).map(|(p, r)| p * r).sum();
                    let other = other * row[occupancies.len()];
                    occupancies[k] * (row[k] - (all + other) / inside)
                };
                self.standard_error(influence)
            })
            .collect()
    }

    /// s_E/√E of one number per ensemble.
    fn standard_error(&self, influence: impl Fn(&[f64]) -> f64) -> f64 {
        let values: Vec<f64> = self.rows.iter().map(|row| influence(row)).collect();
        crate::statistics::Estimate::from_replicas(&values).map_or(f64::NAN, |estimate| estimate.standard_error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::Occupancies;

    /// For the masses themselves it is what the statistics of occupancies say, `other` included.
    #[test]
    fn errors_of_sampled_masses_are_those_of_their_occupancies() {
        let fractions = vec![vec![0.5, 0.3, 0.2], vec![0.6, 0.3, 0.1], vec![0.3, 0.6, 0.1], vec![0.45, 0.4, 0.15]];
        let occupancies = Occupancies::new(3, fractions.concat()).unwrap();
        let means: Vec<f64> = (0..3).map(|state| occupancies.mean(state).unwrap()).collect();
        let influences = Influences::of_fractions(&fractions, &means);
        let log_odds = occupancies.log_odds(0, 1).unwrap();
        assert!((influences.log_odds_standard_error(0, 1) - log_odds.standard_error).abs() < 1e-14);
        for (state, error) in influences.occupancy_standard_errors(&means[..2], means[2]).into_iter().enumerate() {
            assert!((error - occupancies.occupancy(state).unwrap().standard_error).abs() < 1e-14);
        }
    }

    /// ln(p_a/p_b) + 2(x_a − x_b) by hand: influences 1 and −1 of the log-odds, ½ and −½ of the shift.
    #[test]
    fn a_shift_adds_with_its_correlation() {
        let masses = Influences::from_rows(vec![vec![1.5, 0.5, 0.0], vec![0.5, 1.5, 0.0]]);
        let shift = Influences::from_rows(vec![vec![0.5, 0.0, 0.0], vec![-0.5, 0.0, 0.0]]);
        assert!((masses.log_odds_standard_error(0, 1) - 1.0).abs() < 1e-15);
        assert!((masses.plus(2.0, &shift).log_odds_standard_error(0, 1) - 2.0).abs() < 1e-15);
        assert!(masses.plus(-2.0, &shift).log_odds_standard_error(0, 1) < 1e-15);
    }
}
