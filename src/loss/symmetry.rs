//! Symmetries of a loss: maps of θ that do not change it, such as two alike units of a network that change places.

/// A finite group of maps gθ that permute coordinates and change signs, under which L(gθ) = L(θ).
///
/// Such maps are orthogonal, so gradient flow, Hessians and isotropic noise go along with them: what is said of a minimum holds for
/// all its images, and an occupancy is asked of all of them together.
#[derive(Clone, Debug)]
pub struct Symmetry {
    dimension: usize,
    /// (gθ)ᵢ = sign·θⱼ, coordinate after coordinate, map after map; the first is the identity.
    maps: Vec<Place>,
}

/// From where a coordinate comes, and with which sign.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Place {
    from: u32,
    sign: f64,
}

impl Symmetry {
    /// The group of these maps: each lists for every coordinate from where it comes and with which sign. They must be a group whose
    /// first element is the identity, of as many coordinates each.
    pub(super) fn of_maps(dimension: usize, maps: impl IntoIterator<Item = Vec<(usize, f64)>>) -> Self {
        let place = |(from, sign): (usize, f64)| Place { from: from as u32, sign };
        Self { dimension, maps: maps.into_iter().flatten().map(place).collect() }
    }

    /// Number of maps, the identity among them.
    pub fn order(&self) -> usize {
        self.maps().len()
    }

    fn maps(&self) -> std::slice::ChunksExact<'_, Place> {
        self.maps.chunks_exact(self.dimension.max(1))
    }

    /// All different images of a point, itself first: as many as the group has maps, or fewer where some map leaves it in its place.
    pub fn images(&self, theta: &[f64]) -> Vec<Vec<f64>> {
        let size = theta.iter().map(|x| x * x).sum::<f64>().sqrt();
        let mut images: Vec<Vec<f64>> = Vec::new();
        for map in self.maps() {
            let image = apply(map, theta);
            if !images.iter().any(|other| distance(other, &image) <= SAME * size) {
                images.push(image);
            }
        }
        images
    }

    /// How many different images a point has: the order of the group, divided by the number of maps that leave the point in its place
    /// (orbit and stabiliser).
    pub fn multiplicity(&self, theta: &[f64]) -> usize {
        let size = theta.iter().map(|x| x * x).sum::<f64>().sqrt();
        let stays = |map: &&[Place]| distance(&apply(map, theta), theta) <= SAME * size;
        self.order() / self.maps().filter(stays).count().max(1)
    }

    /// The smallest distance between `a` and an image of `b`, and that image.
    pub fn nearest(&self, a: &[f64], b: &[f64]) -> (f64, Vec<f64>) {
        let images = self.maps().map(|map| apply(map, b));
        let with_distance = images.map(|image| (distance(a, &image), image));
        with_distance.min_by(|a, b| a.0.total_cmp(&b.0)).unwrap_or((distance(a, b), b.to_vec()))
    }

    /// The image that stands for all: the one furthest along a fixed direction, which no map leaves in its place.
    pub fn standard_image(&self, theta: &[f64]) -> Vec<f64> {
        let along = |map: &[Place]| -> f64 {
            map.iter().enumerate().map(|(i, place)| weight(i) * place.sign * theta[place.from as usize]).sum()
        };
        let first = self.maps().next().map(|map| (along(map), map));
        let best = self.maps().skip(1).fold(first, |best, map| {
            let height = along(map);
            if best.is_none_or(|(highest, _)| height > highest) { Some((height, map)) } else { best }
        });
        best.map_or_else(|| theta.to_vec(), |(_, map)| apply(map, theta))
    }

    /// The same for N points, lane by lane; layout as in [`crate::loss`]. Inlined into what runs on vector instructions.
    #[inline(always)]
    pub fn standard_images<const N: usize>(&self, theta: &[[f64; N]], images: &mut [[f64; N]]) {
        let (mut highest, mut best) = ([f64::NEG_INFINITY; N], [0u64; N]);
        for (index, map) in (0..).zip(self.maps()) {
            let mut height = [0.0; N];
            for (i, place) in map.iter().enumerate() {
                let (factor, row) = (weight(i) * place.sign, &theta[place.from as usize]);
                for l in 0..N {
                    height[l] += factor * row[l];
                }
            }
            for l in 0..N {
                let higher = height[l] > highest[l];
                highest[l] = if higher { height[l] } else { highest[l] };
                best[l] = if higher { index } else { best[l] };
            }
        }
        for l in 0..N {
            let map = &self.maps[best[l] as usize * self.dimension..][..self.dimension];
            for (image, place) in images.iter_mut().zip(map) {
                image[l] = place.sign * theta[place.from as usize][l];
            }
        }
    }
}

/// Images nearer to each other than this fraction of |θ| are one.
const SAME: f64 = 1e-6;

/// The direction of the standard image: coordinates of no simple ratio, so that no map of signs and places leaves it unchanged.
#[inline(always)]
fn weight(coordinate: usize) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_895;
    let turns = GOLDEN * (coordinate + 1) as f64;
    0.5 + (turns - turns.floor())
}

fn apply(map: &[Place], theta: &[f64]) -> Vec<f64> {
    map.iter().map(|place| place.sign * theta[place.from as usize]).collect()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::LANES;

    /// Both coordinates change places, or signs, or both: the symmetries of a square.
    fn square() -> Symmetry {
        let signs = [(1.0, 1.0), (1.0, -1.0), (-1.0, 1.0), (-1.0, -1.0)];
        let maps = [[0, 1], [1, 0]].into_iter().flat_map(|[i, j]| signs.map(|(a, b)| vec![(i, a), (j, b)]));
        Symmetry::of_maps(2, maps)
    }

    #[test]
    fn images_are_counted_once() {
        let square = square();
        assert_eq!((square.order(), square.images(&[1.0, 2.0]).len()), (8, 8));
        // On a mirror, and in the middle.
        let special = [[1.0, 1.0], [0.0, 2.0], [0.0, 0.0]];
        assert_eq!(special.map(|theta| square.images(&theta).len()), [4, 4, 1]);
        assert_eq!(special.map(|theta| square.multiplicity(&theta)), [4, 4, 1]);
        assert_eq!(square.nearest(&[0.0, 3.0], &[-2.0, 1.0]), (2.0f64.sqrt(), vec![1.0, 2.0]));
    }

    #[test]
    fn all_images_have_the_same_standard_image_in_a_block_too() {
        let square = square();
        let images = square.images(&[0.3, -2.0]);
        assert!(images.iter().all(|image| square.standard_image(image) == square.standard_image(&images[0])));
        let theta: [[f64; LANES]; 2] = [0, 1].map(|i| std::array::from_fn(|lane| images[lane % 8][i]));
        let mut standard = [[0.0; LANES]; 2];
        square.standard_images(&theta, &mut standard);
        assert_eq!(standard.map(|row| row[5]).to_vec(), square.standard_image(&images[5]));
        assert!((0..LANES).all(|lane| standard[1][lane] == standard[1][0]));
    }
}
