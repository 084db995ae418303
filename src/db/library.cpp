#include "library.hpp"

#include <tcrops/core/error.hpp>

#include <dlfcn.h>

namespace tcrops::db {
namespace {

soci::connection_parameters opened(const std::string& back_end, const std::string& connection) {
  try {
    return {back_end, connection};
  } catch (const soci::soci_error& error) {
    throw Error(ExitCode::kFailure,
                "cannot use this kind of database: " + error.get_error_message() +
                    "; install the package libsoci-" + back_end +
                    (back_end == "sqlite3" ? "-4.0" : "4.0") + " or its like");
  }
}

// The shared object that the class of an object was compiled into.
void* handle_of(const soci::backend_factory* factory) {
  const void* const table = *reinterpret_cast<const void* const*>(factory);
  Dl_info found{};
  if (dladdr(table, &found) == 0) return nullptr;
  return dlopen(found.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
}

}  // namespace

Library::Library(const std::string& back_end, const std::string& connection)
    : parameters_(opened(back_end, connection)), handle_(handle_of(parameters_.get_factory())) {
  if (handle_ == nullptr) {
    throw Error(ExitCode::kFailure, "cannot find the shared object of SOCI's " + back_end);
  }
}

void* Library::find(const char* name) const {
  void* const found = dlsym(handle_, name);
  if (found == nullptr) {
    throw Error(ExitCode::kFailure, std::string("the database's library has no function ") + name);
  }
  return found;
}

}  // namespace tcrops::db
