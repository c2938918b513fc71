//! Special functions against 17-digit values (mpmath, 60 digits) and against `statrs`.

use sgd_sde::statistics::special::*;
use statrs::distribution::{ChiSquared, ContinuousCDF, FisherSnedecor, StudentsT};
use statrs::function::beta::beta_reg;

fn assert_close(found: f64, expected: f64, relative: f64, what: &str) {
    let error = ((found - expected) / expected).abs();
    assert!(error <= relative, "{what}: {found:e}, expected {expected:e}, relative error {error:e}");
}

#[test]
fn normal_cdf_in_both_tails() {
    let table = [
        (-37.0, 5.725_571_222_524_577e-300),
        (-30.0, 4.906_713_927_148_187e-198),
        (-10.0, 7.619_853_024_160_526e-24),
        (-5.0, 2.866_515_718_791_939e-7),
        (-1.959963984540054, 0.025_000_000_000_000_01),
        (-1.0, 0.158_655_253_931_457_05),
        (-1e-08, 0.499_999_996_010_577_2),
        (0.3, 0.617_911_422_188_952_6),
        (2.0, 0.977_249_868_051_820_8),
        (8.0, 0.999_999_999_999_999_4),
    ];
    for (x, expected) in table {
        assert_close(normal_cdf(x), expected, 2e-13, &format!("Φ({x})"));
    }
    assert_eq!(normal_cdf(f64::NEG_INFINITY), 0.0);
    assert_eq!(normal_cdf(f64::INFINITY), 1.0);
}

#[test]
fn normal_quantile_in_all_three_ranges() {
    let table = [
        (1e-300, -37.047_096_299_361_2),
        (1e-100, -21.273_453_560_965_324),
        (1e-20, -9.262_340_089_798_408),
        (1e-10, -6.361_340_902_404_056),
        (0.0001, -3.719_016_485_455_680_6),
        (0.025, -1.959_963_984_540_054_2),
        (0.0749, -1.440_238_267_527_963_7),
        (0.0751, -1.438_825_392_752_54),
        (0.2, -0.841_621_233_572_914_2),
        (0.45, -0.125_661_346_855_074),
        (0.5000001, 2.506_628_273_311_648e-7),
        (0.9, 1.281_551_565_544_600_6),
        (0.975, 1.959_963_984_540_054),
        (0.9995, 3.290_526_731_491_926),
    ];
    for (p, expected) in table {
        assert_close(normal_quantile(p), expected, 1e-14, &format!("Φ⁻¹({p})"));
    }
    assert_eq!(normal_quantile(0.5), 0.0);
    assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
    assert_eq!(normal_quantile(1.0), f64::INFINITY);
    assert!(normal_quantile(1.1).is_nan() && normal_quantile(f64::NAN).is_nan());
}

#[test]
fn student_t_survival_from_a_third_of_a_degree_to_twenty_thousand() {
    let table = [
        (0.001, 1.0, 0.499_681_690_219_919_4),
        (1.0, 1.0, 0.25),
        (1e6, 1.0, 3.183_098_861_836_845_7e-7),
        (1e10, 2.0, 5.0e-21),
        (3.0, 2.5, 0.036_288_047_774_515_92),
        (0.5, 0.3, 0.400_355_396_310_738_8),
        (12.0, 5.0, 3.544_746_258_580_761e-5),
        (40.0, 10.0, 1.140_428_871_542_877_3e-12),
        (1.96, 30.0, 0.029_671_156_448_025_24),
        (8.0, 100.0, 1.136_432_403_864_040_3e-12),
        (30.0, 127.0, 8.573_469_039_399_88e-60),
        (3.29, 1000.0, 0.000_518_429_479_433_875_9),
        (0.1, 5000.0, 0.460_174_167_282_865_8),
        (5.0, 20000.5, 2.890_756_465_752_882e-7),
    ];
    for (t, freedom, expected) in table {
        assert_close(student_t_survival(t, freedom), expected, 1e-12, &format!("P(T > {t}), ν = {freedom}"));
        assert_close(student_t_cdf(-t, freedom), expected, 1e-12, "the other tail");
        assert_close(student_t_survival(-t, freedom), 1.0 - expected, 1e-14, "the bulk");
    }
    // Infinitely many degrees of freedom, and very many, are the normal distribution.
    assert_eq!(student_t_survival(1.5, f64::INFINITY), normal_cdf(-1.5));
    assert_close(student_t_survival(1.5, 1e9), normal_cdf(-1.5), 1e-8, "ν = 1e9");
    assert_eq!(student_t_survival(f64::INFINITY, 3.0), 0.0);
    assert!(student_t_survival(1.0, 0.0).is_nan() && student_t_survival(f64::NAN, 2.0).is_nan());
}

#[test]
fn student_t_quantiles() {
    let table = [
        (1e-12, 1.0, -318_309_886_183.790_7),
        (1e-300, 3.0, -1.033_110_836_044_653e100),
        (0.0005, 2.0, -31.599_054_576_443_62),
        (0.025, 1.0, -12.706_204_736_174_704),
        (0.025, 2.0, -4.302_652_729_749_464),
        (0.025, 3.0, -3.182_446_305_283_71),
        (0.025, 127.0, -1.978_819_534_702_854),
        (0.05, 127.0, -1.656_940_343_542_064_6),
        (0.2, 0.4, -3.518_266_633_572_251),
        (0.49, 5.0, -0.026_346_712_342_273_263),
        (0.4999999, 7.5, -2.591_339_968_724_796e-7),
        (0.3, 12.0, -0.538_617_668_201_916_4),
        (1e-30, 40.0, -32.592_958_548_438_9),
        (1e-06, 1000.5, -4.781_594_462_640_221),
        (0.00025, 254.0, -3.526_217_639_758_310_3),
    ];
    for (p, freedom, expected) in table {
        // 1e-300 and 0.4999999 amplify the rounding of p itself.
        assert_close(student_t_quantile(p, freedom), expected, 1e-12, &format!("t({p}), ν = {freedom}"));
    }
    assert_eq!(student_t_quantile(0.5, 3.0), 0.0);
    assert_eq!(student_t_quantile(0.0, 3.0), f64::NEG_INFINITY);
    assert_eq!(student_t_quantile(1.0, 3.0), f64::INFINITY);
    assert_eq!(student_t_quantile(0.975, f64::INFINITY), normal_quantile(0.975));
    assert!(student_t_quantile(0.3, -1.0).is_nan() && student_t_quantile(-0.3, 1.0).is_nan());
}

#[test]
fn quantiles_invert_over_a_wide_grid() {
    for freedom in [0.2, 0.5, 1.0, 1.5, 2.0, 3.0, 5.0, 17.0, 63.0, 255.0, 1e3, 1e5, 1e7] {
        for exponent in -60..=0 {
            let p = 0.5 * 10f64.powf(f64::from(exponent) / 4.0);
            let t = student_t_quantile(p, freedom);
            assert_close(student_t_cdf(t, freedom), p, 1e-15 * freedom.max(1e4), &format!("p = {p}, ν = {freedom}"));
            // 1 − p is rounded: compared only where that does not matter.
            if p > 1e-4 && p < 0.499 {
                assert_close(student_t_quantile(1.0 - p, freedom), -t, 1e-10, "symmetry");
            }
        }
    }
}

#[test]
fn f_distribution_in_both_tails() {
    let table = [
        (1.0, 1.0, 1.0, 0.5, 0.5),
        (0.01, 3.0, 7.0, 0.998_495_247_040_111_7, 0.001_504_752_959_888_3),
        (3.5, 2.0, 58.0, 0.036_721_843_100_259_123, 0.963_278_156_899_741),
        (50.0, 4.0, 20.0, 3.890_482_284_243_457e-10, 0.999_999_999_610_951_8),
        (1000.0, 2.0, 10.0, 3.048_033_338_623_455_2e-12, 0.999_999_999_996_952),
        (0.5, 127.0, 255.0, 0.999_990_977_337_968_4, 9.022_662_031_581_325e-6),
        (2.0, 300.0, 400.0, 5.226_462_724_966_07e-11, 0.999_999_999_947_735_4),
        (1e-06, 1.0, 100.0, 0.999_204_107_760_103_4, 0.000_795_892_239_896_592),
        (10.0, 0.5, 0.7, 0.226_868_353_100_892_36, 0.773_131_646_899_107_6),
        (30.0, 9.0, 246.0, 5.399_636_280_068_246e-35, 1.0),
    ];
    for (f, numerator, denominator, survival, cdf) in table {
        let what = format!("F({numerator}, {denominator}) at {f}");
        assert_close(f_survival(f, numerator, denominator), survival, 1e-12, &what);
        assert_close(f_cdf(f, numerator, denominator), cdf, 1e-12, &what);
    }
    assert_eq!(f_survival(-1.0, 2.0, 3.0), 1.0);
    assert_eq!(f_survival(f64::INFINITY, 2.0, 3.0), 0.0);
    assert!(f_survival(1.0, 0.0, 3.0).is_nan() && f_cdf(f64::NAN, 2.0, 3.0).is_nan());
}

#[test]
fn statrs_agrees_to_its_own_accuracy() {
    for freedom in [1.0, 2.0, 3.5, 10.0, 63.0, 127.0] {
        let oracle = StudentsT::new(0.0, 1.0, freedom).unwrap();
        for t in [-7.5, -2.0, -0.3, 0.0, 0.9, 2.2, 9.0] {
            assert_close(student_t_cdf(t, freedom), oracle.cdf(t), 1e-10, &format!("P(T ≤ {t}), ν = {freedom}"));
        }
    }
    for (numerator, denominator) in [(1.0, 4.0), (2.0, 58.0), (7.0, 3.0), (20.0, 200.0)] {
        let oracle = FisherSnedecor::new(numerator, denominator).unwrap();
        for f in [0.05, 0.5, 1.0, 2.5, 8.0] {
            assert_close(f_cdf(f, numerator, denominator), oracle.cdf(f), 1e-10, &format!("P(F ≤ {f})"));
            assert_close(f_survival(f, numerator, denominator), oracle.sf(f), 1e-10, &format!("P(F > {f})"));
        }
    }
    for (a, b, x) in [(0.5, 0.5, 0.25), (3.0, 8.0, 0.7), (40.0, 60.0, 0.41), (0.1, 5.0, 1e-6)] {
        assert_close(incomplete_beta(a, b, x, 1.0 - x), beta_reg(a, b, x), 1e-11, &format!("I_{x}({a}, {b})"));
    }
    assert_eq!(incomplete_beta(2.0, 3.0, 0.0, 1.0), 0.0);
    assert_eq!(incomplete_beta(2.0, 3.0, 1.0, 0.0), 1.0);
    assert!(incomplete_beta(-2.0, 3.0, 0.5, 0.5).is_nan());
}

#[test]
fn chi_squared_quantiles() {
    // Published tables: χ²₁(0.1), χ²₉(0.1), χ²₃₀(0.95).
    for (p, freedom, expected) in [(0.1, 1.0, 0.015_790_774), (0.1, 9.0, 4.168_159_008), (0.95, 30.0, 43.772_971_83)] {
        assert_close(chi_squared_quantile(p, freedom), expected, 1e-8, &format!("χ² at {p} with {freedom}"));
    }
    for freedom in [1.0, 2.0, 7.5, 127.0, 2_047.0, 1e6] {
        for p in [1e-3, 0.1, 0.5, 0.9] {
            let found = ChiSquared::new(freedom).unwrap().cdf(chi_squared_quantile(p, freedom));
            assert_close(found, p, 1e-9, &format!("P(χ² ≤ quantile) at {p} with {freedom}"));
        }
    }
    for (p, freedom) in [(0.0, 3.0), (1.0, 3.0), (f64::NAN, 3.0), (0.1, 0.0), (0.1, f64::INFINITY)] {
        assert!(chi_squared_quantile(p, freedom).is_nan());
    }
}
