#include "tests/unit/verifier/support/esys_attestations.h"

#include <cstring>
#include <memory>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tctildr.h>

#include "base/error.h"
#include "tpm/nv_indices.h"
#include "vtpm/provision.h"

namespace test {
namespace {

void check(TSS2_RC code, const char* what) {
  if (code != TSS2_RC_SUCCESS) throw base::Error(std::string(what) + " failed with " + std::to_string(code));
}

class Connection {
 public:
  explicit Connection(const std::string& tcti) {
    check(Tss2_TctiLdr_Initialize(tcti.c_str(), &tcti_), "opening the TPM");
    check(Esys_Initialize(&esys_, tcti_, nullptr), "opening the TPM");
    TPM2B_PUBLIC area{};
    std::size_t offset = 0;
    const base::Bytes key_template = vtpm::attestation_key_template(vtpm::KeyKind::kEcc);
    check(Tss2_MU_TPMT_PUBLIC_Unmarshal(key_template.data(), key_template.size(), &offset, &area.publicArea),
          "template");
    const TPM2B_SENSITIVE_CREATE no_sensitive{};
    const TPM2B_DATA no_data{};
    const TPML_PCR_SELECTION no_pcrs{};
    check(Esys_CreatePrimary(esys_, ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &no_sensitive,
                             &area, &no_data, &no_pcrs, &key_, nullptr, nullptr, nullptr, nullptr),
          "TPM2_CreatePrimary");
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    Esys_FlushContext(esys_, key_);
    Esys_Finalize(&esys_);
    Tss2_TctiLdr_Finalize(&tcti_);
  }

  ESYS_CONTEXT* esys() const { return esys_; }
  ESYS_TR key() const { return key_; }

 private:
  TSS2_TCTI_CONTEXT* tcti_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
  ESYS_TR key_ = ESYS_TR_NONE;
};

TPM2B_DATA data_of(base::ByteView bytes) {
  TPM2B_DATA data{};
  data.size = static_cast<UINT16>(bytes.size());
  std::memcpy(data.buffer, bytes.data(), bytes.size());
  return data;
}

tpm::QuoteBlob blob_of(TPM2B_ATTEST* raw_attest, TPMT_SIGNATURE* raw_signature) {
  const std::unique_ptr<TPM2B_ATTEST, decltype(&Esys_Free)> attest(raw_attest, Esys_Free);
  const std::unique_ptr<TPMT_SIGNATURE, decltype(&Esys_Free)> signature(raw_signature, Esys_Free);
  tpm::QuoteBlob blob;
  blob.attest.assign(attest->attestationData, attest->attestationData + attest->size);
  blob.signature.resize(sizeof(TPMT_SIGNATURE));
  std::size_t length = 0;
  check(Tss2_MU_TPMT_SIGNATURE_Marshal(signature.get(), blob.signature.data(), blob.signature.size(), &length),
        "marshal");
  blob.signature.resize(length);
  return blob;
}

constexpr TPMT_SIG_SCHEME kSchemeOfKey{.scheme = TPM2_ALG_NULL, .details = {}};

}  // namespace

tpm::QuoteBlob certify(const std::string& tcti, base::ByteView qualifying_data) {
  const Connection tpm(tcti);
  const TPM2B_DATA data = data_of(qualifying_data);
  TPM2B_ATTEST* attest = nullptr;
  TPMT_SIGNATURE* signature = nullptr;
  check(Esys_Certify(tpm.esys(), tpm.key(), tpm.key(), ESYS_TR_PASSWORD, ESYS_TR_PASSWORD, ESYS_TR_NONE, &data,
                     &kSchemeOfKey, &attest, &signature),
        "TPM2_Certify");
  return blob_of(attest, signature);
}

tpm::QuoteBlob nv_certify(const std::string& tcti, base::ByteView qualifying_data) {
  const Connection tpm(tcti);
  const TPM2B_DATA data = data_of(qualifying_data);
  ESYS_TR index = ESYS_TR_NONE;
  check(Esys_TR_FromTPMPublic(tpm.esys(), tpm::kEccKeyIndices.key_template, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                              &index),
        "finding the index");
  constexpr UINT16 kSize = 88;
  TPM2B_ATTEST* attest = nullptr;
  TPMT_SIGNATURE* signature = nullptr;
  check(Esys_NV_Certify(tpm.esys(), tpm.key(), ESYS_TR_RH_OWNER, index, ESYS_TR_PASSWORD, ESYS_TR_PASSWORD,
                        ESYS_TR_NONE, &data, &kSchemeOfKey, kSize, 0, &attest, &signature),
        "TPM2_NV_Certify");
  Esys_TR_Close(tpm.esys(), &index);
  return blob_of(attest, signature);
}

}  // namespace test
