#include "verifier/tokens/key_store.h"

#include <chrono>
#include <fstream>
#include <future>

#include "base/error.h"
#include "base/file.h"
#include "base/private_directory.h"
#include "tests/unit/catch.h"
#include "tests/unit/verifier/support/soft_token.h"

namespace {

using namespace std::chrono_literals;
using base::Json;
using verifier::KeyRing;
using verifier::KeyState;
using verifier::KeyStore;

const base::WallTime kStoreNow = base::from_unix_seconds(1800000000);

Json stored(const std::filesystem::path& state) {
  return Json::parse(base::read_text_file(state / verifier::kSigningKeysFile, std::size_t{1} << 20U));
}

}  // namespace

TEST_CASE("a signing key is made once, kept secret and found again") {
  const base::PrivateDirectory directory("cs-test");
  const auto state = directory.path() / "state";
  const KeyRing made = KeyStore(state).open(kStoreNow);
  const KeyRing found = KeyStore(state).open(kStoreNow + 1h);
  CHECK(made.jwks() == found.jwks());
  CHECK(found.signing(kStoreNow).signs_from == kStoreNow);
  const auto mode = std::filesystem::status(state / verifier::kSigningKeysFile).permissions();
  CHECK(mode == (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  CHECK_FALSE(made.jwks()["keys"][0].contains("d"));
}

TEST_CASE("what is changed is there for who reads next, with its dates") {
  const base::PrivateDirectory directory("cs-test");
  KeyStore(directory.path()).open(kStoreNow);
  const verifier::KeyPolicy policy;
  const KeyRing changed = KeyStore(directory.path()).change(kStoreNow, [&](KeyRing& keys) {
    keys.add(verifier::SigningKey::generate(), kStoreNow);
    keys.promote(keys.keys().back().key.key_id(), policy, kStoreNow);
    return true;
  });
  const KeyRing read = KeyStore(directory.path()).read(kStoreNow);
  REQUIRE(read.keys().size() == 2);
  CHECK(read.jwks() == changed.jwks());
  CHECK(read.keys()[1].signs_from == kStoreNow + policy.publication);
  CHECK(read.keys()[1].longest_token == policy.token_lifetime);
  CHECK(read.state_of(read.keys()[1], kStoreNow) == KeyState::kScheduled);
}

TEST_CASE("what throws while it changes keys changes nothing, and lets others in") {
  const base::PrivateDirectory directory("cs-test");
  KeyStore(directory.path()).open(kStoreNow);
  const Json before = stored(directory.path());
  CHECK_THROWS_AS(KeyStore(directory.path())
                      .change(kStoreNow,
                              [&](KeyRing& keys) -> bool {
                                keys.add(verifier::SigningKey::generate(), kStoreNow);
                                throw base::Error("no");
                              }),
                  base::Error);
  CHECK(stored(directory.path()) == before);
  CHECK(KeyStore(directory.path()).read(kStoreNow).keys().size() == 1);
}

TEST_CASE("who changes keys at the same time waits for the other") {
  const base::PrivateDirectory directory("cs-test");
  KeyStore(directory.path()).open(kStoreNow);
  const auto add = [&] {
    for (int i = 0; i < 4; ++i) {
      KeyStore(directory.path()).change(kStoreNow, [&](KeyRing& keys) {
        keys.add(verifier::SigningKey::generate(), kStoreNow);
        return true;
      });
    }
  };
  auto other = std::async(std::launch::async, add);
  add();
  other.get();
  CHECK(KeyStore(directory.path()).read(kStoreNow).keys().size() == 9);
}

TEST_CASE("a file of the first versions has the key that signs in front, and gets its dates") {
  const base::PrivateDirectory directory("cs-test");
  const auto file = directory.path() / verifier::kSigningKeysFile;
  const auto first = verifier::SigningKey::generate();
  const auto second = verifier::SigningKey::generate();
  std::ofstream(file) << Json{{"keys", {first.stored_jwk(), second.stored_jwk()}}};
  std::filesystem::permissions(file, std::filesystem::perms(0600));
  const KeyRing keys = KeyStore(directory.path()).open(kStoreNow);
  CHECK(keys.signing(kStoreNow).key.key_id() == first.key_id());
  CHECK(keys.state_of(keys.keys()[1], kStoreNow) == KeyState::kRetiring);
  CHECK(keys.tokens_end(keys.keys()[1], kStoreNow) == kStoreNow + 24h);
  CHECK(stored(directory.path())["keys"][0]["signs_from"] == base::to_rfc3339(kStoreNow));
  const KeyRing later = KeyStore(directory.path()).open(kStoreNow + 25h);
  CHECK(later.state_of(later.keys()[1], kStoreNow + 25h) == KeyState::kRetired);
}

TEST_CASE("a key file that is open to others, empty, public or broken is refused") {
  const base::PrivateDirectory directory("cs-test");
  const auto file = directory.path() / verifier::kSigningKeysFile;
  const auto failure_of = [&](const std::string& text, unsigned mode = 0600) -> std::string {
    std::ofstream(file) << text;
    std::filesystem::permissions(file, std::filesystem::perms(mode));
    try {
      KeyStore(directory.path()).read(kStoreNow);
      return "read";
    } catch (const base::Error& error) {
      return error.what();
    }
  };
  CHECK_THROWS_WITH(KeyStore(directory.path()).read(kStoreNow), ContainsSubstring("No such file"));
  CHECK_FALSE(std::filesystem::exists(file));
  const auto key = verifier::SigningKey::generate();
  const auto document = [&](const std::function<void(Json&)>& change) {
    Json json = key.stored_jwk();
    json["created"] = json["signs_from"] = "2026-11-28T00:00:00Z";
    json["longest_token"] = 60;
    change(json);
    return Json{{"keys", {json}}}.dump();
  };
  CHECK(failure_of(document([](Json&) {})) == "read");
  CHECK_THAT(failure_of(document([](Json&) {}), 0640), ContainsSubstring("open to other users"));
  CHECK_THAT(failure_of(R"({"keys":[]})"), ContainsSubstring("holds no key"));
  CHECK_THAT(failure_of("{"), ContainsSubstring("signing-keys.json"));
  CHECK_THAT(failure_of(Json{{"keys", {key.public_jwk()}}}.dump()), ContainsSubstring("keys[0].d: is missing"));
  CHECK_THAT(failure_of(document([](Json& json) { json["created"] = "yesterday"; })),
             ContainsSubstring("keys[0].created: is no time"));
  CHECK_THAT(failure_of(document([](Json& json) { json["longest_token"] = 86401; })),
             ContainsSubstring("keys[0].longest_token"));
  Json twice = Json::parse(document([](Json&) {}));
  twice["keys"].push_back(twice["keys"][0]);
  CHECK_THAT(failure_of(twice.dump()), ContainsSubstring("keys[1].kid: stands twice"));
}

TEST_CASE("with a token new keys are made there, and destroyed there when they are retired") {
  const base::PrivateDirectory directory("cs-test");
  const test::SoftToken soft;
  const auto token = soft.open();
  const auto in_memory = KeyStore(directory.path()).open(kStoreNow).signing(kStoreNow).key.key_id();
  const KeyStore store(directory.path(), token);
  const verifier::KeyPolicy policy;
  const auto made = store.add({}, [] { return kStoreNow; });
  const base::Bytes others = token->generate_rsa(2048);
  const auto adopted = store.add(others, [] { return kStoreNow; });
  CHECK_THROWS_WITH(store.add(others, [] { return kStoreNow; }), ContainsSubstring("is there already"));
  const auto promote = [&](const std::string& key_id) {
    store.change(kStoreNow, [&](KeyRing& keys) {
      keys.promote(key_id, policy, kStoreNow, true);
      return true;
    });
  };
  promote(adopted.key_id());
  INFO("a key of before stays where it is");
  const KeyRing read = store.read(kStoreNow);
  REQUIRE(read.keys().size() == 3);
  CHECK(read.keys()[0].key.key_id() == in_memory);
  CHECK_FALSE(stored(directory.path())["keys"][1].contains("d"));
  CHECK(read.signing(kStoreNow).key.key_id() == adopted.key_id());
  CHECK_THROWS_WITH(KeyStore(directory.path()).read(kStoreNow), ContainsSubstring("no pkcs11 is configured"));
  CHECK_THROWS_WITH(KeyStore(directory.path()).add(base::Bytes{1}, [] { return kStoreNow; }),
                    "no pkcs11 is configured");

  const auto retire = [&](const std::string& key_id) {
    store.change(kStoreNow, [&](KeyRing& keys) {
      keys.retire(key_id, kStoreNow, true);
      return true;
    });
  };
  retire(made.key_id());
  CHECK_THROWS_WITH(made.expect_signs(), ContainsSubstring("no key of this id"));
  promote(in_memory);
  retire(adopted.key_id());
  adopted.expect_signs();
  CHECK(store.read(kStoreNow).keys().size() == 1);
}

TEST_CASE("a key whose making comes to nothing is left on no token") {
  const base::PrivateDirectory directory("cs-test");
  const test::SoftToken soft;
  const KeyStore store(directory.path(), soft.open());
  store.open(kStoreNow);
  const auto lost = store.make_key();
  CHECK_THROWS_WITH(store.change(kStoreNow,
                                 [&](KeyRing& keys) -> bool {
                                   keys.add(lost, kStoreNow);
                                   throw base::Error("no");
                                 }),
                    "no");
  CHECK_THROWS_WITH(lost.expect_signs(), ContainsSubstring("no key of this id"));
  INFO("none is made when there is no room for it");
  while (store.read(kStoreNow).keys().size() < KeyRing::kMaxKeys) {
    store.change(kStoreNow, [&](KeyRing& keys) {
      keys.add(verifier::SigningKey::generate(), kStoreNow);
      return true;
    });
  }
  CHECK_THROWS_WITH(store.add({}, [] { return kStoreNow; }), ContainsSubstring("retire one first"));
}
