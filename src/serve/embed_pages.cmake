# Writes OUTPUT, a C++ source that holds the files in FILES ("name=file", separated by commas) as
# page_files(). Run as a script when a file changes.
string(REPLACE "," ";" files "${FILES}")
set(table "")
set(source "// Made from src/serve/pages by src/serve/embed_pages.cmake.
#include \"page_files.hpp\"

#include <array>

namespace tcrops::serve {
namespace {
")
set(number 0)
foreach(file IN LISTS files)
  string(REGEX MATCH "^([^=]+)=(.+)$" matched "${file}")
  set(name "${CMAKE_MATCH_1}")
  set(path "${CMAKE_MATCH_2}")
  file(READ "${path}" text)
  if(text STREQUAL "")
    message(FATAL_ERROR "${path} is empty")
  endif()
  # A map is not served, so nothing should ask for one.
  string(REGEX REPLACE "\n//# sourceMappingURL=[^\n]*" "" text "${text}")
  string(FIND "${text}" ")__page\"" end)
  if(NOT end EQUAL -1)
    message(FATAL_ERROR "${path} has what ends the literal it would be in")
  endif()
  string(APPEND source "\nconstexpr std::string_view kFile${number} = R\"__page(${text})__page\";\n")
  string(APPEND table "    PageFile{\"${name}\", kFile${number}},\n")
  math(EXPR number "${number} + 1")
endforeach()
string(APPEND source "
constexpr std::array kFiles = {
${table}};

}  // namespace

std::span<const PageFile> page_files() { return kFiles; }

}  // namespace tcrops::serve
")
file(WRITE "${OUTPUT}" "${source}")
