#include "verifier/tokens/pkcs11_token.h"

#include <array>
#include <fstream>
#include <future>
#include <vector>

#include <openssl/ec.h>
#include <p11-kit/pkcs11.h>

#include "base/error.h"
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

TEST_CASE("a key that was made elsewhere meanwhile is found once the connection is not new any more") {
  const SoftToken soft;
  std::chrono::nanoseconds since_boot{0};
  base::Clock clock = base::Clock::system();
  clock.since_boot = [&] { return since_boot; };
  const Pkcs11Token token(soft.config(), clock);
  CHECK_THROWS_WITH(token.sign_rs256(Bytes{0xa1}, kSigned), ContainsSubstring("no key of this id"));
  soft.import_key("A1");
  since_boot = verifier::kPkcs11ReconnectPause;
  CHECK(token.sign_rs256(Bytes{0xa1}, kSigned).size() == 256);
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

TEST_CASE("what is no PIN is not given to a token") {
  const SoftToken soft;
  const auto token = soft.open();
  for (const char* text : {"", "\r", "123456\r", "123\n456"}) {
    soft.set_pin(text);
    CHECK_THROWS_WITH(token->generate_rsa(2048), ContainsSubstring("pin holds no PIN in one line"));
  }
  soft.set_pin(std::string(256, '1'));
  CHECK_THROWS_WITH(token->generate_rsa(2048), ContainsSubstring("pin: "));
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
  for (const char* any : {"pkcs11:", "pkcs11:token=", "pkcs11:manufacturer=SoftHSM%20project"}) {
    CHECK_THAT(with_token(any), ContainsSubstring("names neither a token's label"));
  }
  CHECK(with_token("pkcs11:serial=0123") == "opened");
  verifier::Pkcs11Config config = soft.config();
  config.module = "/nowhere/library.so";
  CHECK_THAT(opening_failure(config), ContainsSubstring("pkcs11.module: /nowhere/library.so can't be loaded"));
}

TEST_CASE("two keys of one id are no key") {
  const SoftToken soft;
  soft.import_key("A1");
  const auto token = soft.open();
  INFO("without a public half the private one says what it is");
  CHECK(token->public_key(Bytes{0xa1}).modulus.size() == 256);
  soft.import_key("A1");
  CHECK_THROWS_WITH(token->public_key(Bytes{0xa1}), ContainsSubstring("more than one key of this id"));
}

TEST_CASE("a key of another kind is told as that") {
  const SoftToken soft;
  soft.import_key("A1", base::EvpPkeyPtr(EVP_EC_gen("P-256")));
  CHECK_THROWS_WITH(soft.open()->public_key(Bytes{0xa1}),
                    ContainsSubstring("the token's key of this id is no RSA key"));
}

TEST_CASE("of the answers of a token some mean that it is away") {
  for (const CK_RV away : {CKR_TOKEN_NOT_PRESENT, CKR_DEVICE_REMOVED, CKR_DEVICE_ERROR, CKR_SESSION_HANDLE_INVALID,
                           CKR_USER_NOT_LOGGED_IN, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_GENERAL_ERROR}) {
    CHECK(verifier::means_token_is_away(away));
  }
  CHECK(verifier::means_token_is_away(CKR_OPERATION_ACTIVE));  // of an operation that broke off
  for (const CK_RV here : {CKR_MECHANISM_INVALID, CKR_PIN_INCORRECT, CKR_KEY_FUNCTION_NOT_PERMITTED, CKR_DEVICE_MEMORY,
                           CKR_TOKEN_WRITE_PROTECTED, CKR_ARGUMENTS_BAD}) {
    CHECK_FALSE(verifier::means_token_is_away(here));
  }
}

TEST_CASE("any answer to a login but what is clearly about something else is one to the PIN") {
  for (const CK_RV to_pin : {CKR_PIN_INCORRECT, CKR_PIN_LOCKED, CKR_PIN_LEN_RANGE, CKR_ARGUMENTS_BAD, CKR_GENERAL_ERROR,
                             CKR_FUNCTION_FAILED, CKR_VENDOR_DEFINED | 1UL}) {
    CHECK(verifier::is_answer_to_pin(to_pin));
  }
  for (const CK_RV other :
       {CKR_OK, CKR_USER_ALREADY_LOGGED_IN, CKR_DEVICE_REMOVED, CKR_TOKEN_NOT_PRESENT, CKR_SESSION_HANDLE_INVALID}) {
    CHECK_FALSE(verifier::is_answer_to_pin(other));
  }
}

TEST_CASE("nobody logs in where a wrong PIN would be the last") {
  CHECK(verifier::why_no_login(CKF_USER_PIN_INITIALIZED) == nullptr);
  CHECK(verifier::why_no_login(CKF_USER_PIN_INITIALIZED | CKF_USER_PIN_COUNT_LOW) == nullptr);
  CHECK_THAT(verifier::why_no_login(CKF_USER_PIN_INITIALIZED | CKF_USER_PIN_FINAL_TRY), ContainsSubstring("by hand"));
  CHECK_THAT(verifier::why_no_login(CKF_USER_PIN_INITIALIZED | CKF_USER_PIN_LOCKED), ContainsSubstring("locked"));
  CHECK_THAT(verifier::why_no_login(0), ContainsSubstring("no user's PIN"));
}
