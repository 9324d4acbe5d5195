#include "measure/grub_event.h"

#include <string>

#include "tests/unit/catch.h"

using measure::BootEvent;
using measure::Digest;
using measure::grub_event_of;
using measure::HashAlgorithm;

namespace {

BootEvent event(const std::string& data, const std::string& measured) {
  BootEvent event{.pcr = 8, .type = measure::boot_event::kIpl, .digests = {}, .data = base::to_bytes(data)};
  event.digests.insert(Digest::of(HashAlgorithm::kSha256, base::view_of(measured)));
  return event;
}

}  // namespace

TEST_CASE("What GRUB measures is told from its prefix") {
  const auto [prefix, is_kernel_command_line] = GENERATE(table<std::string, bool>({{"grub_cmd: ", false},
                                                                                   {"grub_cmd ", false},
                                                                                   {"kernel_cmdline: ", true},
                                                                                   {"grub_kernel_cmdline ", true},
                                                                                   {"module_cmdline: ", false}}));
  const BootEvent grub = event(prefix + "text", "text");
  const auto found = grub_event_of(grub, HashAlgorithm::kSha256);
  REQUIRE(found);
  CHECK(found->text == "text");
  CHECK(found->is_kernel_command_line == is_kernel_command_line);
}

TEST_CASE("Some versions of GRUB measure the final NUL, and others do not") {
  const std::string data("grub_cmd: ls\0", 13);
  CHECK(grub_event_of(event(data, std::string("ls\0", 3)), HashAlgorithm::kSha256));
  CHECK(grub_event_of(event(data, "ls"), HashAlgorithm::kSha256));
}

TEST_CASE("An event that is not GRUB's says nothing") {
  CHECK_FALSE(grub_event_of(event("grub_cmd: ls", "something else"), HashAlgorithm::kSha256));
  CHECK_FALSE(grub_event_of(event("other: ls", "ls"), HashAlgorithm::kSha256));
  CHECK_FALSE(grub_event_of(event("grub_cmd: ls", "ls"), HashAlgorithm::kSha384));  // of another bank
  BootEvent tagged = event("grub_cmd: ls", "ls");
  tagged.type = measure::boot_event::kEventTag;
  CHECK_FALSE(grub_event_of(tagged, HashAlgorithm::kSha256));
}
