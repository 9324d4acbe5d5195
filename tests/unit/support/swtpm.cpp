#include "tests/unit/support/swtpm.h"

namespace test {
namespace {

constexpr const char* kPrefix = "cs-test-tpm";

std::filesystem::path fresh_state(std::filesystem::path state, const std::vector<std::string>& pcr_banks) {
  vtpm::make_tpm_state(state, pcr_banks);
  return state;
}

}  // namespace

Swtpm::Swtpm() : directory_(kPrefix), tpm_(state()) {}

Swtpm::Swtpm(const std::vector<std::string>& pcr_banks) : directory_(kPrefix), tpm_(fresh_state(state(), pcr_banks)) {}

}  // namespace test
