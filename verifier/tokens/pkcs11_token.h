#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"

namespace verifier {

/// A hardware security module, or what takes its place, as its maker's library shows it (PKCS #11, version 2.40).
struct Pkcs11Config {
  std::filesystem::path module;    ///< the library
  std::string token;               ///< URI of RFC 7512, such as "pkcs11:token=signing"
  std::filesystem::path pin_file;  ///< the user's PIN, with or without a line feed behind it

  bool operator==(const Pkcs11Config&) const = default;
};

/// After the token could not be reached, or failed right behind that, for so long that failure is the answer.
inline constexpr std::chrono::seconds kPkcs11ReconnectPause{1};
/// For how long a call waits for the token and for those before it, after which the token is taken for one that is
/// away: a library may never come back. To make a key takes a slow token longer, and it does nothing else meanwhile.
inline constexpr std::chrono::seconds kPkcs11Patience{10};
inline constexpr std::chrono::seconds kPkcs11MakePatience{120};

/// The token does not take the PIN. Whoever tries again may lock the token.
class WrongPin : public base::Error {
 public:
  using base::Error::Error;
};

/// RSA keys that never leave a token, each under its CKA_ID. Any thread may call; the token is asked for one thing at a
/// time, since many a library breaks otherwise: one that takes 10 ms signs 360,000 tokens an hour. When the token has
/// been away (a module was taken out, a network failed, its server began anew), the next call begins anew as well, at
/// most once a second. A PIN that was wrong is not tried again by the same object, nor is any when the token says that
/// it is the last try: tokens lock themselves.
class Pkcs11Token {
 public:
  /// Throws InvalidInput for a URI that names no token and for a library that can't be loaded. The token itself is
  /// first asked for by the calls below, which throw Error (one that may pass when the token is away) and WrongPin.
  explicit Pkcs11Token(Pkcs11Config config, base::Clock clock = base::Clock::system());
  ~Pkcs11Token();
  Pkcs11Token(const Pkcs11Token&) = delete;
  Pkcs11Token& operator=(const Pkcs11Token&) = delete;

  /// Makes a key pair that can't be read, and returns its id of 16 random bytes.
  base::Bytes generate_rsa(unsigned bits) const;

  struct RsaPublicKey {
    base::Bytes modulus;
    base::Bytes exponent;
  };
  RsaPublicKey public_key(base::ByteView id) const;

  /// RSASSA-PKCS1-v1_5 with SHA-256, made by the token from the first byte to the last.
  base::Bytes sign_rs256(base::ByteView id, base::ByteView bytes) const;

  /// Both halves; nothing happens when there are none.
  void destroy(base::ByteView id) const;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;  ///< a call that does not come back keeps it
};

/// Whether a token that answers so is away, or has forgotten us: what was open there is lost, and the same may succeed
/// later.
bool means_token_is_away(unsigned long code);  // NOLINT(google-runtime-int): CK_RV
/// Whether an answer to C_Login is one to the PIN: any but what clearly is about something else.
bool is_answer_to_pin(unsigned long code);  // NOLINT(google-runtime-int): CK_RV
/// Why nobody should log in to a token with these flags (CK_TOKEN_INFO); nullptr: he may.
const char* why_no_login(unsigned long flags);  // NOLINT(google-runtime-int): CK_FLAGS

}  // namespace verifier
