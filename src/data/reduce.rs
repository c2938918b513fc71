//! Smaller examples of larger ones: images of fewer pixels, and some of the classes. A network with few parameters, whose minima can all be
//! found, can then learn from real data.

use super::dataset::Targets;
use super::error::DataError;
use super::raw::{Raw, Values};

/// Images whose every pixel is the mean of `side` × `side` of them; of a colour image, colour by colour.
pub(super) fn pool(raw: Raw, side: usize) -> Result<Raw, DataError> {
    let (height, width) = match raw.shape[..] {
        [.., height, width] if height % side == 0 && width % side == 0 => (height, width),
        [.., height, width] => {
            let message = format!(
                "found {side}, which does not divide images of {height} × {width} pixels; it must divide both; give one of {}",
                divisors(height, width)
            );
            return Err(DataError::new("pool", message));
        }
        _ => {
            let message = format!(
                "found {side} for examples of {} numbers that are no image; only images can be pooled: digits, IDX, CIFAR-10, or arrays of \
                 three dimensions and more; remove the key",
                raw.features()
            );
            return Err(DataError::new("pool", message));
        }
    };
    let rows = height / side;
    let columns = width / side;
    let planes = raw.len() * raw.features() / (height * width);
    let value = |index: usize| match &raw.values {
        Values::Bytes(bytes) => f64::from(bytes[index]),
        Values::Numbers(numbers) => numbers[index],
    };
    let mut pooled = Vec::with_capacity(planes * rows * columns);
    for plane in 0..planes {
        for row in 0..rows {
            for column in 0..columns {
                let mut sum = 0.0;
                for down in 0..side {
                    let first = plane * height * width + (row * side + down) * width + column * side;
                    sum += (first..first + side).map(value).sum::<f64>();
                }
                pooled.push(sum / (side * side) as f64);
            }
        }
    }
    let mut shape = raw.shape;
    let before = shape.len() - 2;
    shape.truncate(before);
    shape.extend([rows, columns]);
    Ok(Raw { values: Values::Numbers(pooled), shape, targets: raw.targets, feature_names: Vec::new() })
}

fn divisors(height: usize, width: usize) -> String {
    let both = (1..=height.min(width)).filter(|side| height.is_multiple_of(*side) && width.is_multiple_of(*side));
    let both: Vec<String> = both.map(|side| side.to_string()).collect();
    both.join(", ")
}

/// The indices of the examples of some classes, which get the labels 0, 1, … in the order of `wanted`.
pub(super) fn only_classes(raw: &mut Raw, wanted: &[String]) -> Result<Vec<usize>, DataError> {
    let Targets::Labels { labels, class_names } = &mut raw.targets else {
        let message = "found classes of data whose targets are numbers; only labels have classes; remove the key";
        return Err(DataError::new("only_classes", message));
    };
    let place = |name: &String| {
        class_names.iter().position(|known| known == name).ok_or_else(|| {
            let message = format!("found \"{name}\"; the classes are {}; give some of them", class_names.join(", "));
            DataError::new("only_classes", message)
        })
    };
    let places: Vec<usize> = wanted.iter().map(place).collect::<Result<_, _>>()?;
    let mut kept = Vec::new();
    for (index, label) in labels.iter_mut().enumerate() {
        // What is not kept is never looked at again.
        *label = match places.iter().position(|place| *place == *label as usize) {
            Some(position) => {
                kept.push(index);
                position as u32
            }
            None => 0,
        };
    }
    *class_names = wanted.to_vec();
    if kept.is_empty() {
        return Err(DataError::new("only_classes", "no example is of these classes; give others"));
    }
    Ok(kept)
}
