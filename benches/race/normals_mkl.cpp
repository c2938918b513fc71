// Intel MKL's normals alone: inverse distribution function (ICDF) on the SIMD Mersenne twister, the fastest pair that it
// has with a generator of long period. Arguments: the path of libmkl_rt.so, and `double` or `single`, the precision.
// The library is loaded at run time, so that its headers are not needed.
#include <dlfcn.h>

#include <fstream>
#include <string>
#include <vector>

#include "work.hpp"

constexpr int SFMT19937 = 13 << 20;  // VSL_BRNG_SFMT19937
constexpr int ICDF = 2;              // VSL_RNG_METHOD_GAUSSIAN_ICDF

// Which of its kernels MKL chose for this processor, by the library that it loaded: libmkl_vml_avx512, …, libmkl_vml_def.
std::string kernel() {
    std::ifstream maps("/proc/self/maps");
    for (std::string line; std::getline(maps, line);) {
        const size_t name = line.find("libmkl_vml_");
        if (name != std::string::npos) return "kernel " + line.substr(name, line.find('.', name) - name);
    }
    return "kernel unknown";
}

template <class Number>
int normals(void* mkl, const char* generator) {
    const auto new_stream = (int (*)(void**, int, unsigned))dlsym(mkl, "vslNewStream");
    const auto gaussian = (int (*)(int, void*, int, Number*, Number, Number))dlsym(mkl, generator);
    void* stream = nullptr;
    std::vector<Number> buffer(BUFFER);
    if (!new_stream || !gaussian || new_stream(&stream, SFMT19937, 1) != 0 ||
        gaussian(ICDF, stream, BUFFER, buffer.data(), 0, 1) != 0) {
        std::fprintf(stderr, "error: this MKL does not draw normals by %s on SFMT19937; install a newer one\n", generator);
        return 2;
    }
    race("normals-mkl", [&] {
        for (long i = 0; i < TRAJECTORIES * STEPS / BUFFER; i++) gaussian(ICDF, stream, BUFFER, buffer.data(), 0, 1);
        double squares = 0;
        for (double x : buffer) squares += x * x;
        return squares / BUFFER;
    });
    std::printf("\t%s\n", kernel().c_str());
    return 0;
}

int main(int count, char** arguments) {
    if (count != 3) {
        std::fprintf(stderr, "usage: normals_mkl PATH_OF_LIBMKL_RT double|single\n");
        return 2;
    }
    void* mkl = dlopen(arguments[1], RTLD_NOW | RTLD_GLOBAL);
    if (!mkl) {
        std::fprintf(stderr, "error: cannot load MKL: %s\n", dlerror());
        return 2;
    }
    return std::string(arguments[2]) == "single" ? normals<float>(mkl, "vsRngGaussian")
                                                 : normals<double>(mkl, "vdRngGaussian");
}
