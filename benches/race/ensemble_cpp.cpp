// C++: the plain loop with the standard library's generator and normals.
#include <cmath>
#include <random>

#include "work.hpp"

int main() {
    std::mt19937_64 generator(1);
    std::normal_distribution<double> normal;
    const double diffusion = SIGMA * std::sqrt(STEP);
    race("cpp", [&] {
        long left = 0;
        for (long i = 0; i < TRAJECTORIES; i++) {
            double x = 0;
            for (long k = 0; k < STEPS; k++) x = x - STEP * (x * x * x - x + 0.1) + diffusion * normal(generator);
            left += x < 0;
        }
        return double(left) / TRAJECTORIES;
    });
    std::printf("\n");
}
