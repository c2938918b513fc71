//! The symmetries of a network: units of a layer that change places, and the signs of a unit before and after it where φ is odd.

use crate::loss::symmetry::Symmetry;
use crate::network::{Activation, Architecture};

/// More images than this are not kept one by one.
pub const MOST_IMAGES: usize = 5_000;

/// Images of a generic θ: Π h! over the hidden widths h, times 2ʰ where φ(−z) = −φ(z); `None` above [`MOST_IMAGES`].
pub fn images(architecture: &Architecture) -> Option<usize> {
    let hidden = &architecture.widths[1..architecture.depth()];
    hidden.iter().try_fold(1, |images: usize, &width| {
        let signs = if is_odd(architecture.activation) { 1usize.checked_shl(width.try_into().ok()?)? } else { 1 };
        let orders = (1..=width).try_fold(1usize, |product, unit| product.checked_mul(unit))?;
        images.checked_mul(signs)?.checked_mul(orders).filter(|&images| images <= MOST_IMAGES)
    })
}

/// The group; `None` where it is too large, or nothing but the identity.
pub(super) fn symmetry(architecture: &Architecture) -> Option<Symmetry> {
    if images(architecture)? == 1 {
        return None;
    }
    let layers = architecture.widths.len();
    let hidden = |layer: usize| layer > 0 && layer + 1 < layers;
    // Of every layer of units, from the inputs to the outputs: the ways in which they may be rearranged.
    let ways: Vec<Vec<Units>> =
        architecture
            .widths
            .iter()
            .enumerate()
            .map(|(layer, &width)| {
                if hidden(layer) {
                    rearrangements(width, is_odd(architecture.activation))
                } else {
                    vec![identity(width)]
                }
            })
            .collect();
    let mut choices: Vec<Vec<&Units>> = vec![Vec::new()];
    for way in &ways {
        choices = choices.iter().flat_map(|chosen| way.iter().map(|units| [&chosen[..], &[units]].concat())).collect();
    }
    let maps = choices.into_iter().map(|units| map_of(architecture, &units));
    Some(Symmetry::of_maps(architecture.parameters(), maps))
}

/// Unit i becomes what unit j was, with a sign.
type Units = Vec<(usize, f64)>;

fn identity(width: usize) -> Units {
    (0..width).map(|unit| (unit, 1.0)).collect()
}

/// Every order of the units with every choice of signs, or with none; the identity first.
fn rearrangements(width: usize, signs: bool) -> Vec<Units> {
    let mut orders = vec![Units::new()];
    for _ in 0..width {
        let longer = |order: &Units| -> Vec<Units> {
            let free = (0..width).filter(|unit| order.iter().all(|(taken, _)| taken != unit));
            let signed = free.flat_map(|unit| [(unit, 1.0), (unit, -1.0)].into_iter().take(1 + usize::from(signs)));
            signed.map(|next| [&order[..], &[next]].concat()).collect()
        };
        orders = orders.iter().flat_map(longer).collect();
    }
    orders
}

/// What rearranged units do to θ: a weight goes with the unit behind it and with the one before it.
fn map_of(architecture: &Architecture, units: &[&Units]) -> Vec<(usize, f64)> {
    let mut map = Vec::with_capacity(architecture.parameters());
    for (index, layer) in architecture.layers().enumerate() {
        for &(output, sign) in units[index + 1] {
            for &(input, other) in units[index] {
                map.push((layer.weights.start + output * layer.inputs + input, sign * other));
            }
        }
        if architecture.bias {
            map.extend(units[index + 1].iter().map(|&(output, sign)| (layer.biases.start + output, sign)));
        }
    }
    map
}

fn is_odd(activation: Activation) -> bool {
    matches!(activation, Activation::Tanh | Activation::Identity)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn as_many_maps_as_images_and_the_identity_first() {
        for (widths, activation, expected) in [
            (vec![1, 3, 1], Activation::Tanh, Some(48)),
            (vec![2, 3, 2, 1], Activation::Relu, Some(12)),
            (vec![2, 1, 1], Activation::Gelu, Some(1)),
            (vec![64, 64, 10], Activation::Tanh, None),
        ] {
            let architecture = Architecture { widths, activation, bias: true };
            assert_eq!(images(&architecture), expected, "{architecture:?}");
            let Some(symmetry) = symmetry(&architecture) else {
                assert!(expected.is_none_or(|images| images == 1));
                continue;
            };
            assert_eq!(Some(symmetry.order()), expected);
            let theta: Vec<f64> = (1..=architecture.parameters()).map(|i| i as f64).collect();
            let images = symmetry.images(&theta);
            assert_eq!((images.len(), &images[0]), (symmetry.order(), &theta));
        }
    }
}
