#include "verifier/appraisal/boot_state.h"

#include <algorithm>
#include <filesystem>

#include "base/encoding.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "tests/unit/catch.h"
#include "tests/unit/support/allocations.h"
#include "tests/unit/support/skip.h"
#include "tests/unit/support/boot_log_writer.h"

namespace {

using measure::HashAlgorithm;
using test::BootLogWriter;
using test::plain_boot;
using verifier::BootState;
using verifier::extract_boot_state;
namespace type = measure::boot_event;

using test::kSeparator;

std::string utf16(std::string_view ascii) {
  std::string units;
  for (const char c : ascii) units += {c, '\0'};
  return units;
}

BootState state_of(const BootLogWriter& writer) { return extract_boot_state(writer.log(), HashAlgorithm::kSha256); }

const std::string kLoadOptionsTag =
    std::string("\xed\x22\x3b\x8f\x1a\0\0\0", 8) + std::string("LOADED_IMAGE::LoadOptions\0", 26);
constexpr const char* kCommandLine = "console=ttyS0 quiet loglevel=1 panic=-1 confidential-space.hardened=true";

base::Json recorded_boot() {
  return base::Json::parse(base::read_text_file(CS_SOURCE_DIR "/tests/data/boot-log/ovmf-secure-boot.json", 1 << 20));
}

const measure::BootEvent& event_of(const measure::BootLog& log, std::uint32_t pcr, std::uint32_t event_type) {
  return *std::ranges::find_if(log.events,
                               [&](const auto& event) { return event.pcr == pcr && event.type == event_type; });
}

}  // namespace

TEST_CASE("a recorded boot with Secure Boot is read") {
  const auto log = measure::decode_boot_log(test::recorded_boot_log());
  for (const HashAlgorithm bank : {HashAlgorithm::kSha256, HashAlgorithm::kSha384}) {
    const BootState state = extract_boot_state(log, bank);
    CHECK(state.secure_boot);
    CHECK_FALSE(state.kernel_command_line);
    CHECK(state.command_line_is(kCommandLine));
    CHECK_FALSE(state.command_line_is(std::string(kCommandLine) + " init=/bin/sh"));
    const auto certificate =
        base::base64_decode(recorded_boot().at("db_certificate").get<std::string>(), "certificate");
    CHECK(state.secure_boot_certificate == certificate);
    CHECK(state.boot_manager.only_application ==
          event_of(log, 4, type::kEfiBootServicesApplication).digests.at(bank).to_bytes());
  }
  CHECK_THROWS_WITH(extract_boot_state(log, HashAlgorithm::kSha512), ContainsSubstring("has no sha512 digest"));
}

TEST_CASE("logs of real machines are read") {
  const std::filesystem::path folder = std::filesystem::path(CS_VECTORS) / "boot-eventlogs";
  if (test::skips_without(folder)) return;
  const auto read = [&](const std::string& name) {
    return extract_boot_state(
        measure::decode_boot_log(base::read_file(folder / (name + ".bin"), measure::kMaxBootLogBytes)),
        HashAlgorithm::kSha256);
  };
  SECTION("a Container-Optimized OS with SEV and Secure Boot, through shim and GRUB") {
    const BootState state = read("cos-93-amd-sev");
    CHECK(state.secure_boot);
    REQUIRE(state.kernel_command_line);
    CHECK_THAT(*state.kernel_command_line, ContainsSubstring("/syslinux/vmlinuz.A init=/usr/lib/systemd/systemd"));
    CHECK(state.command_line_is(*state.kernel_command_line + "\n"));
    CHECK(state.secure_boot_certificate);  // shim writes its authorities without the owner
    CHECK(state.boot_manager.only_application);
  }
  SECTION("an Ubuntu with SEV, without Secure Boot") {
    const BootState state = read("ubuntu-1804-amd-sev");
    CHECK_FALSE(state.secure_boot);
    CHECK(state.kernel_command_line == "/boot/vmlinuz-5.4.0-1046-gcp root=LABEL=cloudimg-rootfs ro console=ttyS0");
    CHECK_FALSE(state.secure_boot_certificate);
    CHECK(state.boot_manager.only_application);
  }
  SECTION("a workstation whose boot loader is not GRUB") {
    const BootState state = read("arch-linux-workstation");
    CHECK_FALSE(state.secure_boot);
    CHECK_FALSE(state.kernel_command_line);
    CHECK_FALSE(state.boot_manager.only_application);  // its firmware does not say when it calls a boot option
  }
}

TEST_CASE("each of PCR 0 to 7 needs exactly one separator, told by type and digest") {
  SECTION("missing") {
    BootLogWriter writer;
    const BootLogWriter plain = plain_boot();
    for (const auto& event : plain.log().events) {
      if (event.pcr != 3) writer.add(event.pcr, event.type, base::text_of(event.data));
    }
    CHECK_THROWS_WITH(state_of(writer), ContainsSubstring("PCR 3: has no separator"));
  }
  SECTION("doubled") {
    CHECK_THROWS_WITH(state_of(plain_boot().add(4, type::kSeparator, kSeparator)),
                      ContainsSubstring("PCR 4 has a second separator"));
  }
  SECTION("hidden behind another type") {
    CHECK_THROWS_WITH(state_of(plain_boot().add(0, type::kIpl, kSeparator)), ContainsSubstring("not by both"));
    measure::BootLog log = measure::decode_boot_log(test::recorded_boot_log());
    log.events[19].type = type::kIpl;
    CHECK_THROWS_WITH(extract_boot_state(log, HashAlgorithm::kSha256),
                      ContainsSubstring("boot event 19 at byte 5388: "));
  }
  SECTION("of another digest") {
    CHECK_THROWS_WITH(state_of(plain_boot().add(0, type::kSeparator, kSeparator, "something")),
                      ContainsSubstring("not by both"));
  }
  SECTION("with other data than measured") {
    CHECK_THROWS_WITH(state_of(plain_boot().add(0, type::kSeparator, "something", kSeparator)),
                      ContainsSubstring("holds other data"));
  }
}

TEST_CASE("a firmware that could not do what it had to ahead of the drivers of others is refused") {
  const std::string error(4, '\xff');
  const auto with_error_in = [&](std::uint32_t pcr) {
    BootLogWriter writer;
    const BootLogWriter plain = plain_boot();
    for (const auto& event : plain.log().events) {
      const bool is_changed = event.pcr == pcr && event.type == type::kSeparator;
      writer.add(event.pcr, event.type, is_changed ? error : std::string(base::text_of(event.data)));
    }
    return writer;
  };
  CHECK_THROWS_WITH(state_of(with_error_in(2)), ContainsSubstring("PCR 2's separator tells of an error"));
  CHECK_THROWS_WITH(state_of(with_error_in(7)), ContainsSubstring("the separator tells of an error"));
  CHECK_NOTHROW(state_of(with_error_in(4)));
}

TEST_CASE("the firmware's statements in PCR 0 are what was measured") {
  for (const std::uint32_t statement : {type::kScrtmVersion, type::kNonhostInfo}) {
    BootLogWriter writer;
    writer.add(0, statement, "version 2", "version 1");
    const BootLogWriter plain = plain_boot();
    for (const auto& event : plain.log().events) writer.add(event);
    CHECK_THROWS_WITH(state_of(writer), ContainsSubstring("its data was not measured"));
    INFO("behind the separator it is somebody else's");
    CHECK_NOTHROW(state_of(plain_boot().add(0, statement, "version 2", "version 1")));
  }
}

TEST_CASE("GRUB's command line is read when it was measured") {
  SECTION("with and without a final NUL") {
    const std::string text("vmlinuz quiet\0", 14);
    CHECK(state_of(plain_boot().add(8, type::kIpl, "kernel_cmdline: " + text, text)).kernel_command_line ==
          "vmlinuz quiet");
    CHECK(
        state_of(plain_boot().add(8, type::kIpl, "grub_kernel_cmdline " + text, "vmlinuz quiet")).kernel_command_line ==
        "vmlinuz quiet");
  }
  SECTION("other text than measured") {
    CHECK_FALSE(state_of(plain_boot().add(8, type::kIpl, "kernel_cmdline: a", "b")).kernel_command_line);
  }
  SECTION("two of them") {
    CHECK_THROWS_WITH(
        state_of(
            plain_boot().add(8, type::kIpl, "kernel_cmdline: a", "a").add(8, type::kIpl, "kernel_cmdline: b", "b")),
        ContainsSubstring("a second kernel command line"));
  }
  SECTION("beside an event that could be a second one") {
    CHECK_THROWS_WITH(state_of(plain_boot()
                                   .add(8, type::kIpl, "kernel_cmdline: a", "a")
                                   .add(8, type::kIpl, "nothing that GRUB says", "b")),
                      ContainsSubstring("not GRUB's"));
  }
}

TEST_CASE("the kernel's load options are compared by digest") {
  const std::string measured = utf16("quiet") + std::string(2, '\0');
  CHECK(state_of(plain_boot().add(9, type::kEventTag, kLoadOptionsTag, measured)).command_line_is("quiet"));
  CHECK(state_of(plain_boot().add(9, type::kEventTag, kLoadOptionsTag, utf16("quiet"))).command_line_is("quiet"));
  CHECK_FALSE(state_of(plain_boot().add(9, type::kEventTag, kLoadOptionsTag, measured)).command_line_is("loud"));
  CHECK_FALSE(state_of(plain_boot().add(9, type::kEventTag, kLoadOptionsTag, measured)).command_line_is("\xff"));
  CHECK_FALSE(state_of(plain_boot()).command_line_is(""));
  SECTION("characters beyond the basic plane") {
    const std::string grin("\x3d\xd8\x00\xde", 4);
    CHECK(state_of(plain_boot().add(9, type::kEventTag, kLoadOptionsTag, grin)).command_line_is("\xf0\x9f\x98\x80"));
    CHECK(state_of(plain_boot().add(9, type::kEventTag, kLoadOptionsTag, std::string("\xe9\0\xac\x20", 4)))
              .command_line_is("\xc3\xa9\xe2\x82\xac"));
  }
}

TEST_CASE("what the command line can't have been is told by digests alone") {
  const std::string measured = utf16("quiet") + std::string(2, '\0');
  const BootState state = state_of(plain_boot().add(9, type::kEventTag, kLoadOptionsTag, measured));
  CHECK(state.command_line_may_be("quiet"));
  CHECK_FALSE(state.command_line_may_be("loud"));
  CHECK_FALSE(state_of(plain_boot()).command_line_may_be("quiet"));
  SECTION("whatever types and texts the log gives") {
    const BootState hidden = state_of(plain_boot().add(9, type::kIpl, "hidden", measured));
    CHECK_FALSE(hidden.command_line_is("quiet"));
    CHECK(hidden.command_line_may_be("quiet"));
    CHECK_FALSE(hidden.command_line_may_be("loud"));
    CHECK(state_of(plain_boot().add(9, type::kEventTag, kLoadOptionsTag, "other").add(9, type::kIpl, "", measured))
              .command_line_may_be("quiet"));
  }
  SECTION("any, when GRUB started the kernel") {
    CHECK(state_of(plain_boot().add(8, type::kIpl, "kernel_cmdline: a", "a")).command_line_may_be("b"));
    CHECK(state_of(plain_boot().add(8, type::kEventTag, "hidden", "a")).command_line_may_be("b"));
  }
}

TEST_CASE("other measurements are not passed off as load options") {
  const std::string wanted = utf16("quiet") + std::string(2, '\0');
  const std::string real = utf16("init=/bin/sh") + std::string(2, '\0');
  SECTION("an initial RAM disk with the wanted text as its bytes, measured behind the real load options") {
    CHECK_FALSE(state_of(plain_boot().add(9, type::kIpl, "x", real).add(9, type::kEventTag, kLoadOptionsTag, wanted))
                    .command_line_is("quiet"));
    CHECK_FALSE(state_of(plain_boot()
                             .add(9, type::kEventTag, kLoadOptionsTag, real)
                             .add(9, type::kEventTag, kLoadOptionsTag, wanted))
                    .command_line_is("quiet"));
  }
  SECTION("a file that GRUB read") {
    CHECK_FALSE(state_of(plain_boot()
                             .add(8, type::kIpl, "grub_cmd: linux", "linux")
                             .add(9, type::kEventTag, kLoadOptionsTag, wanted))
                    .command_line_is("quiet"));
  }
}

TEST_CASE("a boot of systemd-stub 257 with Linux 6.12 is read") {
  BootLogWriter writer = test::boot_with_pcr4({test::kCallingApplication, "", "image"});
  for (const char* section : {".linux", ".osrel", ".cmdline", ".initrd", ".uname", ".sbat"}) {
    const std::string name = utf16(section) + std::string(2, '\0');
    writer.add(11, type::kIpl, name, std::string(section) + '\0').add(11, type::kIpl, name, "content");
  }
  writer.add(9, type::kEventTag, kLoadOptionsTag, utf16(kCommandLine) + std::string(2, '\0'));
  writer.add(9, type::kEventTag, std::string("\xec\x22\x3b\x8f\x0d\0\0\0Linux initrd\0", 21), "initrd");
  CHECK(state_of(writer).command_line_is(kCommandLine));
  SECTION("with more on the command line than was signed") {
    BootLogWriter other = test::boot_with_pcr4({test::kCallingApplication, "", "image"});
    const std::string added = utf16("init=/bin/sh") + std::string(2, '\0');
    other.add(12, type::kIpl, added, added);
    other.add(9, type::kEventTag, kLoadOptionsTag,
              utf16(std::string(kCommandLine) + " init=/bin/sh") + std::string(2, '\0'));
    CHECK_FALSE(state_of(other).command_line_is(kCommandLine));
  }
}

TEST_CASE("reading a boot is linear in its events, whatever they are") {
  const std::string kind =
      GENERATE(as<std::string>(), "an action", "a variable", "an authority", "GRUB", "an application", "a file");
  const auto boot_of = [&](std::size_t count) {
    BootLogWriter writer = plain_boot();
    BootLogWriter first;
    for (std::size_t i = 0; i < count; ++i) {
      const std::string number = std::to_string(100000 + i);
      const std::string variable = test::uefi_variable(test::kGlobalVariableGuid, number, "data");
      if (kind == "an action") writer.add(5, type::kEfiAction, number);
      if (kind == "a variable") first.add(7, type::kEfiVariableDriverConfig, variable);
      if (kind == "an authority") writer.add(7, type::kEfiVariableAuthority, variable);
      if (kind == "GRUB") writer.add(8, type::kIpl, "grub_cmd: " + number, number);
      if (kind == "an application") writer.add(4, type::kEfiBootServicesApplication, number);
      if (kind == "a file") writer.add(9, type::kIpl, number);
    }
    for (const auto& event : writer.log().events) first.add(event);
    return first.log();
  };
  CAPTURE(kind);
  CHECK(test::growth(500, boot_of, [](const measure::BootLog& log) {
          (void)extract_boot_state(log, HashAlgorithm::kSha256);
        }) < test::kLinear);
}
