//! Random formulas of the kinds that saturate, overflow on the way or have removable points, with their exact derivatives.

use super::precise::Precise;

/// SplitMix64.
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ z >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ z >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ z >> 31
    }

    pub fn below(&mut self, n: u64) -> u64 {
        self.bits() % n
    }

    /// Between 0 and 1.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub fn one_of(&mut self, numbers: &[f64]) -> f64 {
        numbers[self.below(numbers.len() as u64) as usize]
    }
}

#[derive(Clone, Debug)]
pub enum Tree {
    Number(f64),
    Variable(usize),
    Infix(char, Box<Tree>, Box<Tree>),
    Power(Box<Tree>, f64),
    Call(&'static str, Box<Tree>),
}

use Tree::{Call, Infix, Number, Power, Variable};

fn infix(a: Tree, sign: char, b: Tree) -> Tree {
    Infix(sign, Box::new(a), Box::new(b))
}

fn power(a: Tree, p: f64) -> Tree {
    Power(Box::new(a), p)
}

fn call(name: &'static str, a: Tree) -> Tree {
    Call(name, Box::new(a))
}

fn minus(a: Tree) -> Tree {
    infix(Number(-1.0), '*', a)
}

fn factor(random: &mut Random) -> Tree {
    let root = random.one_of(&[0.0, 0.0, 1.0, 2.0, -1.0, 0.7]);
    let variable = Variable(random.below(2) as usize);
    let moved = |a: Tree| if root == 0.0 { a } else { infix(a, '-', Number(root)) };
    match random.below(5) {
        0 | 1 => moved(variable),
        2 => moved(power(variable, 2.0)),
        3 => moved(infix(Variable(0), '+', Variable(1))),
        _ => moved(infix(Number(0.5), '*', power(variable, 3.0))),
    }
}

fn polynomial(random: &mut Random) -> Tree {
    let mut product = factor(random);
    for _ in 0..random.below(2) {
        product = infix(product, if random.below(2) == 0 { '*' } else { '+' }, factor(random));
    }
    product
}

fn scaled(random: &mut Random) -> Tree {
    let k = random.one_of(&[1.0, 1.0, -1.0, 0.5, 3.0, -250.0, 400.0, 1e3, 1e5]);
    let inner = polynomial(random);
    if k == 1.0 { inner } else { infix(Number(k), '*', inner) }
}

fn bounded(random: &mut Random) -> Tree {
    let u = scaled(random);
    let one = || Number(1.0);
    let exp = |u: &Tree| call("exp", u.clone());
    match random.below(15) {
        0 => call("tanh", u),
        1 => call("sigmoid", u),
        2 => infix(one(), '/', infix(one(), '+', exp(&u))),
        3 => infix(exp(&u), '/', infix(one(), '+', exp(&u))),
        4 => infix(one(), '/', power(infix(one(), '+', exp(&minus(u))), 2.0)),
        5 => infix(Number(2.0), '/', infix(Number(3.0), '+', exp(&u))),
        6 => call("exp", minus(call("softplus", u))),
        7 => infix(one(), '/', power(call("cosh", u), 2.0)),
        8 => infix(one(), '/', call("cosh", u)),
        9 => infix(call("sinh", u.clone()), '/', call("cosh", u)),
        10 => call("exp", minus(exp(&u))),
        11 => call("exp", minus(power(u, 2.0))),
        12 => {
            let down = minus(u.clone());
            infix(infix(exp(&u), '-', exp(&down)), '/', infix(exp(&u), '+', exp(&down)))
        }
        13 => call("exp", minus(call("cosh", u))),
        _ => power(call("cosh", u), -3.0),
    }
}

fn growing(random: &mut Random) -> Tree {
    let u = polynomial(random);
    match random.below(11) {
        0 => call("log", call("cosh", scaled(random))),
        1 => call("softplus", scaled(random)),
        2 => call("log", infix(Number(1.0), '+', call("exp", scaled(random)))),
        3 => call("log", infix(call("exp", scaled(random)), '+', call("exp", scaled(random)))),
        4 => power(call("abs", u), random.one_of(&[1.5, 2.0, 2.5, 3.0, 4.0, 0.5])),
        5 => power(call("sqrt", power(u, 2.0)), random.one_of(&[1.0, 2.0, 3.0])),
        6 => power(power(u, 2.0), random.one_of(&[1.5, 0.75, 2.5, 3.5])),
        7 => power(infix(power(u, 2.0), '+', power(factor(random), 2.0)), random.one_of(&[1.5, 2.5])),
        8 => call("sqrt", infix(power(u, 2.0), '+', Number(1.0))),
        9 => call("sqrt", power(u, 4.0)),
        _ => u,
    }
}

pub fn formula(random: &mut Random) -> Tree {
    let mut sum: Option<Tree> = None;
    for _ in 0..=random.below(3) {
        let mut term = if random.below(2) == 0 { bounded(random) } else { growing(random) };
        if random.below(2) == 0 {
            term = infix(term, '*', if random.below(2) == 0 { bounded(random) } else { growing(random) });
        }
        sum = Some(match sum {
            Some(sum) => infix(sum, if random.below(3) == 0 { '-' } else { '+' }, term),
            None => term,
        });
    }
    sum.unwrap()
}

pub fn write(tree: &Tree) -> String {
    match tree {
        Number(x) => format!("({x:?})"),
        Variable(i) => ["x", "y"][*i].to_owned(),
        Infix(sign, a, b) => format!("({} {sign} {})", write(a), write(b)),
        Power(a, p) => format!("({}^({p:?}))", write(a)),
        Call(name, a) => format!("{name}({})", write(a)),
    }
}

/// A value with gradient and the three second derivatives.
#[derive(Clone, Copy, Debug)]
pub struct Jet {
    pub value: Precise,
    pub slope: [Precise; 2],
    pub bend: [Precise; 3],
}

const PAIRS: [(usize, usize); 3] = [(0, 0), (0, 1), (1, 1)];

/// What happens to every result on the way: with relative rounding of f64's size it shows how well a formula is conditioned.
pub struct Evaluation<'a> {
    pub point: [Precise; 2],
    pub rounding: Option<&'a mut Random>,
    /// Whether slopes or bends of a |u|^q at u = 0 are infinite: then neither is the limit of what is nearby in these numbers.
    pub infinite: [bool; 2],
}

impl Evaluation<'_> {
    pub fn jet(&mut self, tree: &Tree) -> Jet {
        let jet = match tree {
            Number(x) => return Jet { value: Precise::new(*x), slope: [Precise::ZERO; 2], bend: [Precise::ZERO; 3] },
            Variable(i) => {
                let mut slope = [Precise::ZERO; 2];
                slope[*i] = Precise::new(1.0);
                return Jet { value: self.point[*i], slope, bend: [Precise::ZERO; 3] };
            }
            Infix(sign, a, b) => {
                let (a, b) = (self.jet(a), self.jet(b));
                match sign {
                    '+' => a.plus(b),
                    '-' => a.plus(b.chain([-b.value, Precise::new(-1.0), Precise::ZERO])),
                    '*' => a.times(b),
                    _ => {
                        let r = Precise::new(1.0) / b.value;
                        a.times(b.chain([r, -(r * r), Precise::new(2.0) * r * r * r]))
                    }
                }
            }
            Power(a, p) => {
                let size = match &**a {
                    Call("abs", _) => *p,
                    Power(_, inner) if *inner == 2.0 => 2.0 * p,
                    _ => 2.0,
                };
                let a = self.jet(a);
                if a.value.is_zero() && size.fract() != 0.0 {
                    self.infinite[0] |= size < 1.0;
                    self.infinite[1] |= size < 2.0;
                }
                // A factor 0 stands before what may be infinite.
                let part = |factor: f64, p: f64| {
                    if factor == 0.0 { Precise::ZERO } else { a.value.pow(p) * Precise::new(factor) }
                };
                a.chain([part(1.0, *p), part(*p, p - 1.0), part(p * (p - 1.0), p - 2.0)])
            }
            Call(name, a) => {
                let a = self.jet(a);
                a.chain(function(name, a.value))
            }
        };
        match &mut self.rounding {
            None => jet,
            Some(random) => {
                let mut rounded = |x: Precise| x.perturbed((random.uniform() - 0.5) * f64::EPSILON);
                Jet { value: rounded(jet.value), slope: jet.slope.map(&mut rounded), bend: jet.bend.map(&mut rounded) }
            }
        }
    }
}

/// A function with its first two derivatives.
fn function(name: &str, x: Precise) -> [Precise; 3] {
    let [one, two, four] = [1.0, 2.0, 4.0].map(Precise::new);
    let (up, down) = if matches!(name, "exp" | "sinh" | "cosh" | "tanh" | "softplus") {
        (x.exp(), (-x).exp())
    } else {
        (Precise::NAN, Precise::NAN)
    };
    let tanh = || {
        let decayed = (-(two * x.abs())).exp();
        let size = (one - decayed) / (one + decayed);
        if x.is_negative() { -size } else { size }
    };
    let sigmoid = |x: Precise| {
        let decayed = (-x.abs()).exp();
        (if x.is_negative() { decayed } else { one }) / (one + decayed)
    };
    match name {
        "exp" => [up, up, up],
        "log" => [x.ln(), one / x, -(one / (x * x))],
        "sinh" | "cosh" => {
            let half = Precise::new(0.5);
            let (sinh, cosh) = ((up - down) * half, (up + down) * half);
            if name == "sinh" { [sinh, cosh, sinh] } else { [cosh, sinh, cosh] }
        }
        "tanh" => {
            let slope = four / ((up + down) * (up + down));
            [tanh(), slope, -(two * tanh() * slope)]
        }
        "sigmoid" => {
            let slope = sigmoid(x) * sigmoid(-x);
            [sigmoid(x), slope, slope * (sigmoid(-x) - sigmoid(x))]
        }
        "softplus" => {
            // ln(1 + u) = u for a u of no weight.
            let value = if x.to_f64() < -80.0 { up } else { (one + up).ln() };
            [value, sigmoid(x), sigmoid(x) * sigmoid(-x)]
        }
        "abs" => {
            let sign = if x.is_zero() { Precise::NAN } else { one };
            [x.abs(), if x.is_negative() { -sign } else { sign }, Precise::ZERO * sign]
        }
        "sqrt" => {
            let root = if x.is_negative() { Precise::NAN } else { x.sqrt() };
            let r = one / root;
            [root, r * Precise::new(0.5), -(r * r * r * Precise::new(0.25))]
        }
        _ => panic!("{name}"),
    }
}

impl Jet {
    fn plus(self, other: Jet) -> Jet {
        Jet {
            value: self.value + other.value,
            slope: std::array::from_fn(|i| self.slope[i] + other.slope[i]),
            bend: std::array::from_fn(|k| self.bend[k] + other.bend[k]),
        }
    }

    fn times(self, b: Jet) -> Jet {
        let a = self;
        Jet {
            value: a.value * b.value,
            slope: std::array::from_fn(|i| a.value * b.slope[i] + a.slope[i] * b.value),
            bend: std::array::from_fn(|k| {
                let (i, j) = PAIRS[k];
                (a.value * b.bend[k] + a.bend[k] * b.value) + (a.slope[i] * b.slope[j] + a.slope[j] * b.slope[i])
            }),
        }
    }

    fn chain(self, [value, first, second]: [Precise; 3]) -> Jet {
        Jet {
            value,
            slope: self.slope.map(|slope| first * slope),
            bend: std::array::from_fn(|k| {
                let (i, j) = PAIRS[k];
                first * self.bend[k] + second * (self.slope[i] * self.slope[j])
            }),
        }
    }

    /// ∂x, ∂y, ∂xx, ∂xy, ∂yy.
    pub fn derivatives(self) -> [Precise; 5] {
        let ([a, b], [c, d, e]) = (self.slope, self.bend);
        [a, b, c, d, e]
    }
}
