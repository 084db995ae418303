#pragma once

#include <string_view>

namespace tcrops::nn {

// The widest vector instructions that the arithmetic libraries will use on this processor.
enum class VectorClass { kAvx512, kAvx2, kBaseline };

[[nodiscard]] VectorClass vector_class();
[[nodiscard]] std::string_view vector_class_name(VectorClass value);

}  // namespace tcrops::nn
