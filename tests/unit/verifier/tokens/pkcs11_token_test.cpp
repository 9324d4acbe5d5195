#include "verifier/tokens/pkcs11_token.h"

#include <array>
#include <fstream>
#include <future>
#include <vector>

#include <openssl/pem.h>
#include <p11-kit/pkcs11.h>

#include "base/error.h"
#include "base/openssl.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/support/soft_token.h"

namespace {

using base::Bytes;
using test::SoftToken;
using verifier::Pkcs11Token;

const Bytes kSigned = {'a', 'b', 'c'};

std::string opening_failure(const verifier::Pkcs11Config& config) {
  try {
    const Pkcs11Token token(config);
    return "opened";
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("a key made on a token signs there, and is gone when it is destroyed") {
  const SoftToken soft;
  const auto token = soft.open();
  const Bytes id = token->generate_rsa(2048);
  CHECK(id.size() == 16);
  const auto key = token->public_key(id);
  CHECK(key.modulus.size() == 256);
  CHECK(key.exponent == Bytes{1, 0, 1});
  CHECK(token->sign_rs256(id, kSigned).size() == 256);
  token->destroy(id);
  CHECK_THROWS_WITH(token->sign_rs256(id, kSigned), "pkcs11:token=signing: the token has no key of this id");
  CHECK_THROWS_WITH(token->public_key(id), ContainsSubstring("no key of this id"));
  token->destroy(id);
}

TEST_CASE("many threads may ask a token at the same time") {
  const SoftToken soft;
  const auto token = soft.open();
  const Bytes id = token->generate_rsa(2048);
  const auto sign_some = [&] {
    Bytes last;
    for (int i = 0; i < 50; ++i) last = token->sign_rs256(id, kSigned);
    return last;
  };
  std::vector<std::future<Bytes>> threads;
  for (int i = 0; i < 4; ++i) threads.push_back(std::async(std::launch::async, sign_some));
  for (auto& thread : threads) CHECK(thread.get() == token->sign_rs256(id, kSigned));
}

TEST_CASE("a token that was away is found again, and one that is away may come back") {
  const SoftToken soft;
  soft.take_out();
  std::filesystem::create_directory(soft.path() / "tokens");
  std::chrono::nanoseconds since_boot{0};
  base::Clock clock = base::Clock::system();
  clock.since_boot = [&] { return since_boot; };
  const Pkcs11Token token(soft.config(), clock);
  try {
    token.generate_rsa(2048);
    FAIL("a key was made");
  } catch (const base::Error& error) {
    CHECK(error.may_pass());
    CHECK_THAT(error.what(), ContainsSubstring("pkcs11:token=signing: no token is called so"));
  }
  std::filesystem::remove(soft.path() / "tokens");
  soft.put_back();
  INFO("asked again at once, the failure of before is the answer");
  since_boot = verifier::kPkcs11ReconnectPause - std::chrono::nanoseconds(1);
  CHECK_THROWS_WITH(token.generate_rsa(2048), ContainsSubstring("no token is called so"));
  since_boot = verifier::kPkcs11ReconnectPause;
  CHECK(token.generate_rsa(2048).size() == 16);
}

TEST_CASE("a PIN that was refused is not tried again, another one is") {
  const SoftToken soft;
  const auto token = soft.open();
  soft.set_pin("654321");
  CHECK_THROWS_AS(token->generate_rsa(2048), verifier::WrongPin);
  CHECK_THROWS_WITH(token->generate_rsa(2048), ContainsSubstring("was refused before"));
  soft.set_pin(SoftToken::kPin);
  CHECK(token->generate_rsa(2048).size() == 16);
}

TEST_CASE("a PIN that others may read is refused") {
  const SoftToken soft;
  std::filesystem::permissions(soft.config().pin_file, std::filesystem::perms(0644));
  CHECK_THROWS_WITH(soft.open()->generate_rsa(2048), ContainsSubstring("pin is open to other users"));
}

TEST_CASE("a token is named by a URI that names a token and nothing else, its library by a path") {
  const SoftToken soft;
  const auto with_token = [&](const char* uri) {
    verifier::Pkcs11Config config = soft.config();
    config.token = uri;
    return opening_failure(config);
  };
  CHECK(with_token("pkcs11:token=signing;manufacturer=SoftHSM%20project") == "opened");
  CHECK_THAT(with_token("signing"), ContainsSubstring("pkcs11.token: "));
  CHECK_THAT(with_token("pkcs11:token=%zz"), ContainsSubstring("pkcs11.token: "));
  CHECK(with_token("pkcs11:token=signing?pin-value=123456") == "pkcs11.token: names something else than a token");
  CHECK(with_token("pkcs11:token=signing;x-size=2") == "pkcs11.token: names something else than a token");
  verifier::Pkcs11Config config = soft.config();
  config.module = "/nowhere/library.so";
  CHECK_THAT(opening_failure(config), ContainsSubstring("pkcs11.module: /nowhere/library.so can't be loaded"));
}

TEST_CASE("two keys of one id are no key") {
  const SoftToken soft;
  const base::EvpPkeyPtr key(EVP_RSA_gen(2048));
  const std::string file = (soft.path() / "key.pem").string();
  const base::BioPtr out(BIO_new_file(file.c_str(), "w"));
  REQUIRE(PEM_write_bio_PKCS8PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  REQUIRE(BIO_flush(out.get()) == 1);
  const std::string import = "--import " + file + " --token signing --label key --id A1 --no-public-key --pin 123456";
  SoftToken::use(import);
  const auto token = soft.open();
  INFO("without a public half the private one says what it is");
  CHECK(token->public_key(Bytes{0xa1}).modulus.size() == 256);
  SoftToken::use(import + " --force");
  CHECK_THROWS_WITH(token->public_key(Bytes{0xa1}), ContainsSubstring("more than one key of this id"));
}

TEST_CASE("of the answers of a token some mean that it is away") {
  for (const CK_RV away : {CKR_TOKEN_NOT_PRESENT, CKR_DEVICE_REMOVED, CKR_DEVICE_ERROR, CKR_SESSION_HANDLE_INVALID,
                           CKR_USER_NOT_LOGGED_IN, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_GENERAL_ERROR}) {
    CHECK(verifier::means_token_is_away(away));
  }
  for (const CK_RV here : {CKR_MECHANISM_INVALID, CKR_PIN_INCORRECT, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_DEVICE_MEMORY,
                           CKR_TOKEN_WRITE_PROTECTED, CKR_ARGUMENTS_BAD}) {
    CHECK_FALSE(verifier::means_token_is_away(here));
  }
}

TEST_CASE("nobody logs in where a wrong PIN would be the last") {
  CHECK(verifier::why_no_login(CKF_USER_PIN_INITIALIZED) == nullptr);
  CHECK(verifier::why_no_login(CKF_USER_PIN_INITIALIZED | CKF_USER_PIN_COUNT_LOW) == nullptr);
  CHECK_THAT(verifier::why_no_login(CKF_USER_PIN_INITIALIZED | CKF_USER_PIN_FINAL_TRY), ContainsSubstring("by hand"));
  CHECK_THAT(verifier::why_no_login(CKF_USER_PIN_INITIALIZED | CKF_USER_PIN_LOCKED), ContainsSubstring("locked"));
  CHECK_THAT(verifier::why_no_login(0), ContainsSubstring("no user's PIN"));
}
