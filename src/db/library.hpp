#pragma once

#include <soci/soci.h>
#include <string>

namespace tcrops::db {

// The shared object of a back end of SOCI, which SOCI has opened, and the libraries that it needs:
// where the functions of libpq and libsqlite3 are found without linking to either.
class Library {
 public:
  // Opens the back end: "sqlite3" or "postgresql". `connection` is what SOCI calls the connect
  // string. Throws Error (kFailure) that names the package when it is not installed.
  Library(const std::string& back_end, const std::string& connection);

  // What soci::session connects by.
  [[nodiscard]] const soci::connection_parameters& parameters() const { return parameters_; }

  // As in `library.function<decltype(&::sqlite3_errcode)>("sqlite3_errcode")`. Throws Error
  // (kFailure) when there is none.
  template <class Function>
  [[nodiscard]] Function function(const char* name) const {
    return reinterpret_cast<Function>(find(name));
  }

 private:
  [[nodiscard]] void* find(const char* name) const;

  soci::connection_parameters parameters_;
  void* handle_ = nullptr;  // never closed: SOCI keeps the object open until the program ends
};

}  // namespace tcrops::db
