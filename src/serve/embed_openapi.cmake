# Writes OUTPUT, a C++ source that holds the text of INPUT. Run as a script when INPUT changes.
file(READ "${INPUT}" text)
if(text STREQUAL "")
  message(FATAL_ERROR "${INPUT} is empty")
endif()
file(WRITE "${OUTPUT}" "// Made from src/serve/openapi.json by src/serve/embed_openapi.cmake.
#include \"openapi.hpp\"

namespace tcrops::serve {

std::string_view openapi_text() {
  return R\"json(${text})json\";
}

}  // namespace tcrops::serve
")
