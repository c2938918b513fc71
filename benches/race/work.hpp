// The work that every contestant does, and how it is timed; as in benches/race.rs.
#pragma once
#include <chrono>
#include <cstdio>

constexpr long TRAJECTORIES = 4096, STEPS = 2000;
constexpr double STEP = 0.01, SIGMA = 0.5;  // dx = -(x^3 - x + 0.1) dt + SIGMA dW, from x = 0
constexpr int BUFFER = 8192;                // normals alone are drawn so many at a time
constexpr double MEASURED = 0.25;           // a pass is repeated for at least so many seconds

// Warms up with one pass, repeats it, and prints NAME, rate, check. A pass returns what is checked.
template <class Pass>
void race(const char* name, Pass pass) {
    pass();
    const auto start = std::chrono::steady_clock::now();
    double check = 0, elapsed = 0;
    long passes = 0;
    while (elapsed < MEASURED) {
        check = pass();
        passes++;
        elapsed = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    }
    std::printf("%s\t%.0f\t%.4f", name, passes * double(TRAJECTORIES * STEPS) / elapsed, check);
}
