#include "tests/unit/support/lockout_password.h"

#include <algorithm>
#include <memory>
#include <stdexcept>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_tctildr.h>

namespace test {
namespace {

void check(const char* what, TSS2_RC code) {
  if (code != TSS2_RC_SUCCESS) throw std::runtime_error(std::string(what) + " failed with " + std::to_string(code));
}

}  // namespace

void set_lockout_password(const std::string& tcti, std::string_view password) {
  TSS2_TCTI_CONTEXT* transport = nullptr;
  check("opening the TPM", Tss2_TctiLdr_Initialize(tcti.c_str(), &transport));
  const std::shared_ptr<void> close_transport(nullptr, [&](void*) { Tss2_TctiLdr_Finalize(&transport); });
  ESYS_CONTEXT* esys = nullptr;
  check("Esys_Initialize", Esys_Initialize(&esys, transport, nullptr));
  const std::shared_ptr<void> close_esys(nullptr, [&](void*) { Esys_Finalize(&esys); });
  TPM2B_AUTH value{};
  value.size = static_cast<UINT16>(password.copy(reinterpret_cast<char*>(value.buffer), sizeof(value.buffer)));
  check("TPM2_HierarchyChangeAuth",
        Esys_HierarchyChangeAuth(esys, ESYS_TR_RH_LOCKOUT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &value));
}

}  // namespace test
