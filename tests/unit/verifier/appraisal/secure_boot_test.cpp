#include "verifier/appraisal/secure_boot.h"

#include <functional>
#include <vector>

#include "base/error.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/boot_log_writer.h"

namespace {

using measure::HashAlgorithm;
using test::BootLogWriter;
using test::uefi_variable;
namespace type = measure::boot_event;

struct WrittenEvent {
  std::uint32_t type;
  std::string data;
  std::string measured;
};

WrittenEvent configuration(const std::string& name, const std::string& value,
                           const std::string& guid = test::kGlobalVariableGuid) {
  const std::string data = uefi_variable(guid, name, value);
  return {type::kEfiVariableDriverConfig, data, data};
}

const std::string kShimLockGuid("\x50\xab\x5d\x60\x46\xe0\x00\x43\xab\xb6\x3d\xd8\x10\xdd\x8b\x23", 16);
const std::string kOwner(16, 'o');
const std::string kCertificate = "a certificate";
std::string db() { return test::signature_list(test::kCertX509Guid, {kCertificate}); }

WrittenEvent authority(const std::string& data = kOwner + kCertificate, const std::string& name = "db",
                       const std::string& guid = test::kImageSecurityGuid) {
  const std::string variable = uefi_variable(guid, name, data);
  return {type::kEfiVariableAuthority, variable, variable};
}

WrittenEvent separator(const std::string& value = std::string(4, '\0')) { return {type::kSeparator, value, value}; }
WrittenEvent action(const std::string& text) { return {type::kEfiAction, text, text}; }

std::vector<WrittenEvent> secure_boot() {
  return {configuration("SecureBoot", "\1"),
          configuration("PK", db()),
          configuration("KEK", db()),
          configuration("db", db(), test::kImageSecurityGuid),
          configuration("dbx", "", test::kImageSecurityGuid),
          separator(),
          authority()};
}

verifier::SecureBoot state_of(const std::vector<WrittenEvent>& events) {
  BootLogWriter writer;
  for (const WrittenEvent& event : events) writer.add(7, event.type, event.data, event.measured);
  return verifier::extract_secure_boot(writer.log(), HashAlgorithm::kSha256);
}

bool read(const std::vector<WrittenEvent>& events) { return state_of(events).is_enabled; }

std::string refusal_of_log(const std::function<void(std::vector<WrittenEvent>&)>& change) {
  auto events = secure_boot();
  change(events);
  try {
    return read(events) ? "on" : "off";
  } catch (const base::InvalidInput& error) {
    return error.what();
  }
}

}  // namespace

TEST_CASE("the name of a variable has a limit") {
  const auto with_name_of = [](std::size_t length) {
    return refusal_of_log([&](auto& events) { events[1] = configuration(std::string(length, 'n'), "key"); });
  };
  CHECK_THAT(with_name_of(256), !ContainsSubstring("too long"));
  CHECK_THAT(with_name_of(257), ContainsSubstring("the name is too long"));
}

TEST_CASE("Secure Boot is on or off as the firmware measured it") {
  CHECK(read(secure_boot()));
  CHECK(refusal_of_log([](auto& events) { events[0] = configuration("SecureBoot", std::string(1, '\0')); }) == "off");
  CHECK(refusal_of_log([](auto& events) { events[0] = configuration("SecureBoot", ""); }) == "off");
  CHECK(refusal_of_log([](auto& events) { events.insert(events.begin(), action("DMA Protection Disabled")); }) == "on");
}

TEST_CASE("a variable that is no answer is refused") {
  CHECK_THAT(refusal_of_log([](auto& events) { events[0] = configuration("SecureBoot", "\2"); }),
             ContainsSubstring("neither 0 nor 1"));
  CHECK_THAT(refusal_of_log([](auto& events) { events[0] = configuration("SecureBoot", "\1\1"); }),
             ContainsSubstring("neither 0 nor 1"));
  CHECK_THAT(refusal_of_log([](auto& events) { events.erase(events.begin()); }), ContainsSubstring("was not measured"));
  CHECK_THAT(refusal_of_log([](auto& events) { events.insert(events.begin(), configuration("SecureBoot", "\1")); }),
             ContainsSubstring("measured twice"));
  CHECK_THAT(
      refusal_of_log([](auto& events) { events[0] = configuration("SecureBoot", "\1", test::kImageSecurityGuid); }),
      ContainsSubstring("another vendor"));
  CHECK_THAT(refusal_of_log([](auto& events) { events[3] = configuration("db", "key"); }),
             ContainsSubstring("another vendor"));
}

TEST_CASE("Secure Boot needs keys and an authority") {
  CHECK_THAT(refusal_of_log([](auto& events) { events[1] = configuration("PK", ""); }),
             ContainsSubstring("PK is empty"));
  CHECK_THAT(refusal_of_log([](auto& events) { events.erase(events.begin() + 2); }), ContainsSubstring("KEK is empty"));
  CHECK_THAT(refusal_of_log([](auto& events) { events[3] = configuration("db", "", test::kImageSecurityGuid); }),
             ContainsSubstring("db is empty"));
  CHECK_THAT(refusal_of_log([](auto& events) { events.pop_back(); }), ContainsSubstring("no authority"));
  const std::string empty_list = test::signature_list(test::kCertX509Guid, {});
  CHECK_THAT(refusal_of_log([&](auto& events) { events[1] = configuration("PK", empty_list); }),
             ContainsSubstring("PK is empty"));
  CHECK_THAT(refusal_of_log([&](auto& events) { events[2] = configuration("KEK", empty_list); }),
             ContainsSubstring("KEK is empty"));
  CHECK_THAT(
      refusal_of_log([&](auto& events) { events[3] = configuration("db", empty_list, test::kImageSecurityGuid); }),
      ContainsSubstring("db is empty"));
}

TEST_CASE("with Secure Boot on, all its databases are well-formed") {
  const auto with = [](std::size_t place, const char* name, const std::string& guid) {
    return refusal_of_log([&](auto& events) { events[place] = configuration(name, "key", guid); });
  };
  CHECK_THAT(with(1, "PK", test::kGlobalVariableGuid), ContainsSubstring("PCR 7: the variable PK: EFI signature list"));
  CHECK_THAT(with(2, "KEK", test::kGlobalVariableGuid), ContainsSubstring("PCR 7: the variable KEK: "));
  CHECK_THAT(with(3, "db", test::kImageSecurityGuid), ContainsSubstring("PCR 7: the variable db: "));
  CHECK_THAT(with(4, "dbx", test::kImageSecurityGuid), ContainsSubstring("PCR 7: the variable dbx: "));
  INFO("without, they decide nothing");
  CHECK(refusal_of_log([](auto& events) {
          events[0] = configuration("SecureBoot", std::string(1, '\0'));
          events[3] = configuration("db", "key", test::kImageSecurityGuid);
        }) == "off");
}

TEST_CASE("events on the wrong side of the separator are refused") {
  CHECK_THAT(refusal_of_log([](auto& events) { events.insert(events.begin(), authority()); }),
             ContainsSubstring("before the separator"));
  CHECK_THAT(refusal_of_log([](auto& events) { events.push_back(configuration("SecureBoot2", "\1")); }),
             ContainsSubstring("behind the separator"));
  CHECK_THAT(refusal_of_log([](auto& events) { events.push_back(separator()); }),
             ContainsSubstring("second separator"));
  CHECK_THAT(refusal_of_log([](auto& events) { events.erase(events.begin() + 5); }),
             ContainsSubstring("before the separator"));
  CHECK_THAT(refusal_of_log([](auto& events) {
               events.pop_back();
               events.pop_back();
             }),
             ContainsSubstring("has no separator"));
  CHECK_THAT(refusal_of_log([](auto& events) { events[5] = separator("\xff\xff\xff\xff"); }),
             ContainsSubstring("tells of an error"));
}

TEST_CASE("what has no place in PCR 7 is refused") {
  CHECK_THAT(refusal_of_log([](auto& events) { events.insert(events.begin(), action("UEFI Debug Mode")); }),
             ContainsSubstring("debug mode"));
  CHECK_THAT(refusal_of_log([](auto& events) { events.insert(events.begin(), action("Something else")); }),
             ContainsSubstring("unknown EFI action"));
  CHECK_THAT(refusal_of_log([](auto& events) {
               events.push_back({type::kIpl, "x", "x"});
             }),
             ContainsSubstring("event of type 13"));
  CHECK_THAT(refusal_of_log([](auto& events) { events[0].measured = "other"; }), ContainsSubstring("was not measured"));
  CHECK_THAT(refusal_of_log([](auto& events) {
               events[0].data.pop_back();
               events[0].measured = events[0].data;
             }),
             ContainsSubstring("cut off"));
  CHECK_THAT(refusal_of_log([](auto& events) {
               events[0].data += "x";
               events[0].measured = events[0].data;
             }),
             ContainsSubstring("UEFI variable event"));
}

TEST_CASE("the byte too many that old versions of shim log is passed over, no more") {
  CHECK(refusal_of_log([](auto& events) { events.back().data += "x"; }) == "on");
  CHECK_THAT(refusal_of_log([](auto& events) { events.back().data += "xy"; }), ContainsSubstring("was not measured"));
  CHECK_THAT(refusal_of_log([](auto& events) { events[0].data += "x"; }), ContainsSubstring("was not measured"));
}

TEST_CASE("the certificate that alone decides what starts is known when there is but one") {
  const auto only_certificate = [](const std::function<void(std::vector<WrittenEvent>&)>& change) {
    auto events = secure_boot();
    change(events);
    return state_of(events).only_certificate;
  };
  const auto with_db = [&](const std::string& lists) {
    return only_certificate([&](auto& events) { events[3] = configuration("db", lists, test::kImageSecurityGuid); });
  };
  const auto with_authority = [&](const WrittenEvent& event) {
    return only_certificate([&](auto& events) { events.push_back(event); });
  };
  CHECK(with_db(db()) == base::to_bytes(kCertificate));
  SECTION("db") {
    const std::string hashes = test::signature_list(test::kCertSha256Guid, {std::string(32, 'h')});
    CHECK_FALSE(with_db(test::signature_list(test::kCertX509Guid, {kCertificate, "b certificate"})));
    CHECK_FALSE(with_db(db() + test::signature_list(test::kCertX509Guid, {"another certificate"})));
    CHECK_FALSE(with_db(db() + hashes));
    CHECK_FALSE(with_db(hashes + db()));
    CHECK_FALSE(with_db(hashes));
    CHECK_FALSE(with_db(db() + db()));  // twice the same: not what an image brings
    CHECK_FALSE(with_db(test::signature_list(test::kCertX509Guid, {"another certificate"})));  // which approved nothing
    CHECK(with_db(db() + test::signature_list(test::kCertSha256Guid, {})) == base::to_bytes(kCertificate));
  }
  SECTION("the authorities") {
    CHECK(with_authority(authority()));
    CHECK(with_authority(authority(kCertificate)));  // as old versions of shim write it
    CHECK(with_authority(authority("\1", "MokListTrusted", kShimLockGuid)));
    CHECK(with_authority(authority("sbat,1", "SbatLevel", kShimLockGuid)));
    CHECK_FALSE(with_authority(authority(kOwner + "another certificate")));
    CHECK_FALSE(with_authority(authority(kCertificate + "x")));
    CHECK_FALSE(with_authority(authority(kOwner)));
    CHECK_FALSE(with_authority(authority("")));
    CHECK_FALSE(with_authority(authority(kOwner + kCertificate, "MokList", kShimLockGuid)));
    CHECK_FALSE(with_authority(authority(kOwner + kCertificate, "db", kShimLockGuid)));
    CHECK_FALSE(with_authority(authority("\1", "MokListTrusted")));
  }
  SECTION("no approval but shim's own settings") {
    CHECK_FALSE(
        only_certificate([](auto& events) { events.back() = authority("sbat,1", "SbatLevel", kShimLockGuid); }));
  }
  SECTION("without Secure Boot, whatever db holds") {
    CHECK_FALSE(only_certificate([](auto& events) { events[0] = configuration("SecureBoot", {"\0", 1}); }));
    CHECK_FALSE(only_certificate([](auto& events) {
      events[0] = configuration("SecureBoot", {"\0", 1});
      events[3] = configuration("db", "no list", test::kImageSecurityGuid);
    }));
  }
  SECTION("a malformed db") {
    CHECK_THROWS_WITH(with_db("key"), ContainsSubstring("EFI signature list"));
    CHECK_THROWS_WITH(with_db(db() + "x"), ContainsSubstring("EFI signature list"));
  }
}
