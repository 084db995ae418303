#pragma once

// In front of a function that is compiled for several kinds of vector instructions. Where its file
// is compiled without fused products (CMakeLists.txt) all of them give one result.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__) && \
    !defined(__clang__)
#define VECTORISED __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define VECTORISED
#endif
