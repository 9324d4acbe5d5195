#pragma once

#include <array>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/rsa.h>

#include "base/certificate.h"
#include "base/openssl.h"
#include "base/private_directory.h"
#include "verifier/tokens/pkcs11_token.h"

namespace test {

/// A SoftHSM token in a folder of its own. One at a time: the library finds it by the environment.
class SoftToken {
 public:
  static constexpr const char* kPin = "123456";

  SoftToken() : directory_("cs-test") {
    std::filesystem::create_directory(directory_.path() / "tokens");
    std::ofstream(directory_.path() / "softhsm2.conf")
        << "directories.tokendir = " << (directory_.path() / "tokens").string() << "\nlog.level = ERROR\n";
    ::setenv("SOFTHSM2_CONF", (directory_.path() / "softhsm2.conf").c_str(), 1);  // NOLINT: no other thread yet
    use(std::string("--init-token --free --label signing --so-pin 87654321 --pin ") + kPin);
    set_pin(kPin);
  }

  verifier::Pkcs11Config config() const {
    return {.module = module(), .token = "pkcs11:token=signing", .pin_file = directory_.path() / "pin"};
  }
  std::shared_ptr<const verifier::Pkcs11Token> open() const {
    return std::make_shared<const verifier::Pkcs11Token>(config());
  }

  /// What the file says; the token's own stays.
  void set_pin(const std::string& pin) const {
    std::ofstream(directory_.path() / "pin") << pin << '\n';
    std::filesystem::permissions(directory_.path() / "pin", std::filesystem::perms(0600));
  }

  /// Out of the slot, or into it.
  void take_out() const { std::filesystem::rename(directory_.path() / "tokens", directory_.path() / "away"); }
  void put_back() const { std::filesystem::rename(directory_.path() / "away", directory_.path() / "tokens"); }

  /// A key that somebody else has made; its public half stays away. `id` is hexadecimal.
  void import_key(const std::string& id, const base::EvpPkeyPtr& key = base::EvpPkeyPtr(EVP_RSA_gen(2048))) const {
    const std::filesystem::path file = directory_.path() / "key.pem";
    std::ofstream(file) << base::private_key_pem(*key);
    use("--import " + file.string() + " --token signing --label key --no-public-key --force --pin " + kPin + " --id " +
        id);
  }

  /// Has the token's own program do something.
  static void use(const std::string& arguments) {
    const std::string command = "softhsm2-util " + arguments + " >/dev/null";
    if (std::system(command.c_str()) != 0) throw std::runtime_error(command);  // NOLINT: of a test
  }

  std::filesystem::path path() const { return directory_.path(); }

 private:
  static std::filesystem::path module() {
    constexpr std::array kPlaces = {"/usr/lib/softhsm/libsofthsm2.so",
                                    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so"};
    for (const char* place : kPlaces) {
      if (std::filesystem::exists(place)) return place;
    }
    throw std::runtime_error("softhsm2 is not installed");
  }

  base::PrivateDirectory directory_;
};

}  // namespace test
