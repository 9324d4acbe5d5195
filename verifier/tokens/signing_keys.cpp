#include "verifier/tokens/signing_keys.h"

#include <cerrno>
#include <sys/stat.h>

#include "base/error.h"
#include "base/file.h"

namespace verifier {
namespace {

constexpr std::size_t kRsaBits = 2048;
constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20U;
constexpr mode_t kDirectoryMode = 0700;
constexpr mode_t kFileMode = 0600;

std::vector<evidence::Jwk> generate(const base::FileDescriptor& directory) {
  std::vector<evidence::Jwk> keys;
  keys.push_back(evidence::Jwk::generate_rsa(kRsaBits));
  const base::Json document = {{"keys", {base::parse_json(keys.front().private_json(), "generated key")}}};
  base::replace_file(directory, kSigningKeysFile, base::view_of(document.dump()), kFileMode);
  return keys;
}

void expect_secret(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw base::SystemError("inspecting " + path.string(), errno);
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0) throw base::Error(path.string() + " is open to other users");
}

}  // namespace

SigningKeys SigningKeys::open(const std::filesystem::path& state_directory) {
  const base::FileDescriptor directory = base::open_private_directory(state_directory, kDirectoryMode);
  if (!std::filesystem::exists(state_directory / kSigningKeysFile)) return SigningKeys(generate(directory));
  return read(state_directory);
}

SigningKeys SigningKeys::read(const std::filesystem::path& state_directory) {
  const base::FileDescriptor directory = base::open_private_directory(state_directory, kDirectoryMode);
  const std::filesystem::path path = state_directory / kSigningKeysFile;
  expect_secret(path);
  SigningKeys keys(evidence::parse_jwks(base::read_text_file(path, kMaxFileBytes), path.string()));
  if (keys.keys_.empty()) throw base::Error(path.string() + " holds no key");
  try {
    evidence::sign_jwt(keys.active(), base::Json::object(), base::Json::object());
  } catch (const base::Error& error) {
    throw error.in_context(path.string() + ": the first key does not sign");
  }
  return keys;
}

base::Json SigningKeys::jwks() const {
  std::vector<const evidence::Jwk*> pointers;
  for (const evidence::Jwk& key : keys_) pointers.push_back(&key);
  return evidence::jwks_json(pointers);
}

}  // namespace verifier
