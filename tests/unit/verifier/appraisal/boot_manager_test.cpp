#include "verifier/appraisal/boot_manager.h"

#include <string>
#include <vector>

#include "tests/unit/catch.h"
#include "tests/unit/support/boot_log_writer.h"

namespace {

using measure::HashAlgorithm;
using test::boot_with_pcr4;
using test::BootLogWriter;
using test::kApplicationReturned;
using test::kCallingApplication;
using verifier::BootManager;
namespace type = measure::boot_event;

constexpr HashAlgorithm kBank = HashAlgorithm::kSha256;

BootManager manager_of(const BootLogWriter& writer) { return verifier::extract_boot_manager(writer.log(), kBank); }

base::Bytes pcr4_of(const BootLogWriter& writer) { return writer.log().replay(kBank).at(4); }

}  // namespace

TEST_CASE("the application that the firmware called, and that stayed, is known by its digest") {
  const auto application_of = [](const std::vector<std::string>& texts) {
    return manager_of(boot_with_pcr4(texts)).only_application;
  };
  const auto image = measure::hash(HashAlgorithm::kSha256, base::view_of("image"));
  CHECK(application_of({kCallingApplication, "", "image"}) == image);
  CHECK(application_of({"", kCallingApplication, "image"}) == image);
  CHECK(application_of({kCallingApplication, "", "image", "what the image loads"}) == image);
  CHECK(application_of({kCallingApplication, "", "other", "image"}) != image);
  SECTION("not without the call, the separator or the application") {
    CHECK_FALSE(application_of({"", "image"}));
    CHECK_FALSE(application_of({kCallingApplication, ""}));
    CHECK_FALSE(application_of({"", kCallingApplication}));
    CHECK_FALSE(application_of({""}));
  }
  SECTION("not in another order") {
    CHECK_FALSE(application_of({"image", kCallingApplication, ""}));
    CHECK_FALSE(application_of({kCallingApplication, "image", ""}));
    CHECK_FALSE(application_of({"", "image", kCallingApplication}));
    CHECK_FALSE(application_of({"other", kCallingApplication, "", "image"}));
    CHECK_FALSE(application_of({kCallingApplication, kCallingApplication, "", "image"}));
  }
  SECTION("not when it ended or did not start, and the firmware tried another") {
    CHECK_FALSE(application_of({kCallingApplication, "", "image", kApplicationReturned}));
    CHECK_FALSE(application_of({kCallingApplication, "", "image", kApplicationReturned, kCallingApplication, "other"}));
    CHECK_FALSE(application_of({kCallingApplication, "", "image", kCallingApplication, "other"}));
  }
  SECTION("not while the firmware's services go on") {
    BootLogWriter writer;
    const BootLogWriter ended = boot_with_pcr4({kCallingApplication, "", "image"});
    for (const auto& event : ended.log().events) {
      if (base::text_of(event.data) != test::kExitBootServices) writer.add(event);
    }
    CHECK_FALSE(manager_of(writer).only_application);
    CHECK_FALSE(manager_of(BootLogWriter(writer).add(4, type::kEfiAction, test::kExitBootServices)).only_application);
    CHECK_FALSE(
        manager_of(BootLogWriter(writer).add(5, type::kEfiAction, test::kExitBootServices, "no")).only_application);
    CHECK(manager_of(BootLogWriter(writer).add(5, type::kIpl, "", test::kExitBootServices)).only_application == image);
  }
  SECTION("whatever types the log gives") {
    BootLogWriter writer = boot_with_pcr4({kCallingApplication, ""});
    writer.add(4, type::kEfiAction, "says nothing", "image");
    CHECK(manager_of(writer).only_application == image);
    writer.add(4, type::kIpl, "hidden", kApplicationReturned);
    CHECK_FALSE(manager_of(writer).only_application);
  }
}

TEST_CASE("boot options with nothing to start are passed over ahead of the application") {
  const auto image = measure::hash(kBank, base::view_of("image"));
  const base::Bytes first_try = pcr4_of(boot_with_pcr4({kCallingApplication, "", "image"}));
  for (const std::vector<std::string>& texts : std::vector<std::vector<std::string>>{
           {kCallingApplication, "", kApplicationReturned, kCallingApplication, "image"},
           {kCallingApplication, "", kApplicationReturned, kCallingApplication, kApplicationReturned,
            kCallingApplication, "image"},
           {kCallingApplication, kApplicationReturned, kCallingApplication, "", "image"},
           {kCallingApplication, kApplicationReturned, "", kCallingApplication, "image"}}) {
    const BootLogWriter writer = boot_with_pcr4(texts);
    const BootManager manager = manager_of(writer);
    CHECK(manager.only_application == image);
    CHECK(manager.applications.size() == 1);
    CHECK(manager.pcr == first_try);
    CHECK(manager.pcr != pcr4_of(writer));
  }
  CHECK(manager_of(boot_with_pcr4({"", kCallingApplication, kApplicationReturned, kCallingApplication, "image"})).pcr ==
        pcr4_of(boot_with_pcr4({"", kCallingApplication, "image"})));
  SECTION("with what the application measures behind it") {
    CHECK(manager_of(boot_with_pcr4({kCallingApplication, "", kApplicationReturned, kCallingApplication, "a", "b"}))
              .pcr == pcr4_of(boot_with_pcr4({kCallingApplication, "", "a", "b"})));
  }
}

TEST_CASE("nothing is passed over where a program may have run") {
  for (const std::vector<std::string>& texts : std::vector<std::vector<std::string>>{
           {kCallingApplication, "", "tool", kApplicationReturned, kCallingApplication, "image"},
           {"tool", kCallingApplication, "", kApplicationReturned, kCallingApplication, "image"},
           {kCallingApplication, "", kApplicationReturned, "tool", kCallingApplication, "image"},
           {kCallingApplication, "", kApplicationReturned, "image"},
           {kApplicationReturned, kCallingApplication, "", "image"},
           {kCallingApplication, "", kApplicationReturned, kApplicationReturned, kCallingApplication, "image"},
           {kCallingApplication, "", kCallingApplication, "image"},
           {kCallingApplication, "", kApplicationReturned, kCallingApplication, "image", kApplicationReturned,
            kCallingApplication, "other"}}) {
    const BootLogWriter writer = boot_with_pcr4(texts);
    CHECK_FALSE(manager_of(writer).only_application);
    CHECK(manager_of(writer).pcr == pcr4_of(writer));
  }
}

TEST_CASE("all that stands in PCR 4 is known, however the log calls it") {
  BootLogWriter writer = boot_with_pcr4({kCallingApplication, "", "a"});
  writer.add(4, type::kEfiAction, "text", "b").add(5, type::kIpl, "c", "c");
  const auto digest_of = [](std::string_view text) { return measure::hash(kBank, base::view_of(text)); };
  CHECK(manager_of(writer).applications == std::vector<base::Bytes>{digest_of("a"), digest_of("b")});
}
