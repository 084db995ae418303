#include <tcrops/core/error.hpp>
#include <tcrops/core/interrupt.hpp>
#include <tcrops/core/sha256.hpp>

#include <openssl/evp.h>

#include <array>
#include <cerrno>
#include <fstream>
#include <vector>

namespace tcrops {

namespace {

struct FreeContext {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_MD_CTX, FreeContext>;

// Looked up once: by its name it costs more than a short text's hash.
const EVP_MD* method() {
  static const EVP_MD* const found = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return found;
}

// Begins a hash; a context may be used again.
void begin(const Context& context) {
  if (!context || EVP_DigestInit_ex(context.get(), method(), nullptr) != 1) {
    throw Error(ExitCode::kFailure, "OpenSSL cannot start SHA-256");
  }
}

void add(const Context& context, std::string_view bytes) {
  if (EVP_DigestUpdate(context.get(), bytes.data(), bytes.size()) != 1) {
    throw Error(ExitCode::kFailure, "OpenSSL cannot continue SHA-256");
  }
}

Sha256Digest end(const Context& context) {
  Sha256Digest digest{};
  if (EVP_DigestFinal_ex(context.get(), digest.data(), nullptr) != 1) {
    throw Error(ExitCode::kFailure, "OpenSSL cannot finish SHA-256");
  }
  return digest;
}

}  // namespace

struct Sha256::State {
  Context context{EVP_MD_CTX_new()};
};

Sha256::Sha256() : state_(std::make_unique<State>()) { begin(state_->context); }
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;
Sha256& Sha256::operator=(Sha256&&) noexcept = default;

void Sha256::update(std::string_view bytes) { add(state_->context, bytes); }

std::string Sha256::hex() { return digest_hex(end(state_->context)); }

Sha256Digest sha256(std::string_view bytes) {
  thread_local const Context context{EVP_MD_CTX_new()};
  begin(context);
  add(context, bytes);
  return end(context);
}

std::string digest_hex(const Sha256Digest& digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text(2 * digest.size(), '0');
  auto to = text.begin();
  for (const unsigned char byte : digest) {
    *to++ = kDigits[byte >> 4U];
    *to++ = kDigits[byte & 15U];
  }
  return text;
}

std::string sha256_hex(std::string_view bytes) { return digest_hex(sha256(bytes)); }

std::string sha256_file(const std::filesystem::path& path, ExitCode otherwise) {
  std::ifstream in(path, std::ios::binary);
  if (!in) throw system_error("cannot read", path, errno, otherwise);
  Sha256 hash;
  std::vector<char> block(1U << 20U);
  while (in) {
    check_interrupt();
    in.read(block.data(), static_cast<std::streamsize>(block.size()));
    hash.update({block.data(), static_cast<std::size_t>(in.gcount())});
  }
  if (in.bad()) throw system_error("cannot read", path, EIO, otherwise);
  return hash.hex();
}

}  // namespace tcrops
