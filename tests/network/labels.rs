//! To which minimum of a network a point belongs, and which minima there are, on the shipped scenario.

use std::sync::Arc;

use sgd_sde::landscape::Landscape;
use sgd_sde::landscape::basins::{NO_BASIN, Workspace};
use sgd_sde::loss::{LANES, Loss};
use sgd_sde::random::{Purpose, stream::Stream};
use sgd_sde::scenario::resolve;

fn tiny_network() -> (Arc<dyn Loss>, Vec<[f64; 2]>) {
    let scenario = resolve("tiny-network")[0].load(&[], None).unwrap().scenario;
    (scenario.loss.build().unwrap(), scenario.loss.domain)
}

/// All flows are followed to the same places, to the last bit, whoever keeps them company.
#[test]
fn labels_are_the_same_alone_in_a_block_and_in_a_crowd() {
    let (loss, domain) = tiny_network();
    let landscape = Landscape::explore(loss.clone(), &domain).unwrap();
    let (basins, d) = (&landscape.basins, loss.dimension());
    let mut stream = Stream::new(0, 1, Purpose::Start);
    // One more than whole blocks have room for.
    let points: Vec<f64> = (0..(5 * LANES + 1) * d).map(|_| 8.0 * stream.uniform() - 4.0).collect();
    let mut room = Workspace::default();
    let mut crowd = vec![0; 5 * LANES + 1];
    basins.label_all(&points, &mut crowd, &mut room);
    assert!((0..3).all(|minimum| crowd.contains(&minimum)) && !crowd.contains(&NO_BASIN));
    let symmetry = loss.symmetry().unwrap();
    for (point, label) in points.chunks_exact(d).zip(&crowd) {
        let alone = basins.label(point, &mut room).map_or(NO_BASIN, |basin| basin as u64);
        assert_eq!((alone, basins.flow_from(point)), (*label, Some(*label as usize)));
        let image = symmetry.images(point).pop().unwrap();
        assert_eq!(basins.label(&image, &mut room), Some(*label as usize));
    }
    for (points, labels) in points.chunks_exact(LANES * d).zip(crowd.chunks_exact(LANES)) {
        let rows: Vec<f64> = (0..d).flat_map(|i| (0..LANES).map(move |lane| points[lane * d + i])).collect();
        // A full block, one of a few lanes that are followed one by one, and one of none.
        for live in [LANES, 3, 0] {
            let mut of_block = [0; LANES];
            basins.label_block(&rows, &std::array::from_fn(|lane| lane < live), &mut of_block, &mut room);
            assert_eq!(of_block[..live], labels[..live]);
        }
    }
}

/// What a user sees by `sgd-sde predict tiny-network --set loss.starts=1000`, and with 10000.
#[test]
fn a_thousand_starts_find_the_minima_of_ten_thousand() {
    let (loss, domain) = tiny_network();
    let minima = |starts| Landscape::explore_from(loss.clone(), &domain, starts).unwrap().minima;
    let (default, fewer, more) = (minima(None), minima(Some(1_000)), minima(Some(10_000)));
    assert_eq!(more.len(), 3);
    for found in [default, fewer] {
        assert_eq!(found.len(), more.len());
        for (one, other) in found.iter().zip(&more) {
            assert_eq!(one.multiplicity, 2);
            assert!(one.theta.iter().zip(&other.theta).all(|(x, y)| (x - y).abs() < 1e-9));
        }
    }
    // One descent, from the middle of the domain, is not enough.
    assert!(Landscape::explore_from(loss.clone(), &domain, Some(1)).map_or(0, |found| found.minima.len()) < 2);
}
