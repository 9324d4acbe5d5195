#include "tpm/tpm.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include <tss2/tss2_esys.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_rc.h>
#include <tss2/tss2_tctildr.h>

#include "base/log.h"

namespace tpm {

/// The ESYS context, and its transport when nobody else keeps it.
class EsysContext {
 public:
  explicit EsysContext(const std::string& tcti) {
    const TSS2_RC code = Tss2_TctiLdr_Initialize(tcti.c_str(), &own_transport_);
    if (code != TSS2_RC_SUCCESS) fail_to_open(tcti, code);
    initialize(own_transport_, tcti);
  }
  explicit EsysContext(TSS2_TCTI_CONTEXT& transport) { initialize(&transport, "a transport"); }
  EsysContext(const EsysContext&) = delete;
  EsysContext& operator=(const EsysContext&) = delete;
  ~EsysContext() {
    Esys_Finalize(&esys_);
    Tss2_TctiLdr_Finalize(&own_transport_);
  }

  /// For the ESYS calls of this file, which take a naked context.
  ESYS_CONTEXT* get() const noexcept { return esys_; }

 private:
  void initialize(TSS2_TCTI_CONTEXT* transport, const std::string& name) {
    const TSS2_RC code = Esys_Initialize(&esys_, transport, nullptr);
    if (code == TSS2_RC_SUCCESS) return;
    Tss2_TctiLdr_Finalize(&own_transport_);
    fail_to_open(name, code);
  }

  [[noreturn]] static void fail_to_open(const std::string& tcti, TSS2_RC code) {
    throw TpmError("failed to open TPM device: " + tcti + ": " + Tss2_RC_Decode(code), code, base::Action::kReboot);
  }

  TSS2_TCTI_CONTEXT* own_transport_ = nullptr;
  ESYS_CONTEXT* esys_ = nullptr;
};

namespace {

using base::Bytes;
using base::ByteView;

constexpr std::size_t kMaxPcrsPerRead = 8;            // TPM2_PCR_Read answers at most a TPML_DIGEST of eight
constexpr std::uint32_t kOrderlyStartup = 1U << 31U;  // TPMA_STARTUP_CLEAR

void check(const char* command, TSS2_RC code) {
  base::log::trace("TPM", {{"command", command}, {"code", std::uint64_t{code}}});
  if (code != TSS2_RC_SUCCESS) throw TpmError(std::string(command) + ": " + Tss2_RC_Decode(code), code);
}

struct EsysFree {
  template <typename T>
  void operator()(T* memory) const noexcept {
    Esys_Free(memory);
  }
};
template <typename T>
using EsysPtr = std::unique_ptr<T, EsysFree>;

/// An ESYS_TR of an object that stays in the TPM: closing it frees the library's record only.
class ResourceHandle {
 public:
  ResourceHandle(ESYS_CONTEXT* esys, ESYS_TR handle) : esys_(esys), handle_(handle) {}
  ResourceHandle(const ResourceHandle&) = delete;
  ResourceHandle& operator=(const ResourceHandle&) = delete;
  ~ResourceHandle() {
    if (handle_ != ESYS_TR_NONE) Esys_TR_Close(esys_, &handle_);
  }
  ESYS_TR get() const noexcept { return handle_; }
  void forget() noexcept { handle_ = ESYS_TR_NONE; }

 private:
  ESYS_CONTEXT* esys_;
  ESYS_TR handle_;
};

template <typename Tpm2b>
Tpm2b to_tpm2b(ByteView bytes, const char* what) {
  Tpm2b result{};
  if (bytes.size() > sizeof(result.buffer)) throw TpmError(std::string(what) + " is too long for the TPM", 0);
  result.size = static_cast<UINT16>(bytes.size());
  std::memcpy(result.buffer, bytes.data(), bytes.size());
  return result;
}

TPML_PCR_SELECTION selection_of(measure::HashAlgorithm bank, std::span<const std::uint32_t> pcrs) {
  TPML_PCR_SELECTION selection{};
  selection.count = 1;
  selection.pcrSelections[0].hash = static_cast<TPMI_ALG_HASH>(bank);
  selection.pcrSelections[0].sizeofSelect = 3;
  for (const std::uint32_t pcr : pcrs) {
    selection.pcrSelections[0].pcrSelect[pcr / 8] |= static_cast<BYTE>(1U << (pcr % 8));
  }
  return selection;
}

std::vector<std::uint32_t> indices_of(const TPMS_PCR_SELECTION& selection) {
  std::vector<std::uint32_t> indices;
  for (std::uint32_t pcr = 0; pcr < std::uint32_t{selection.sizeofSelect} * 8; ++pcr) {
    if ((selection.pcrSelect[pcr / 8] & (1U << (pcr % 8))) != 0) indices.push_back(pcr);
  }
  return indices;
}

/// Nothing when no such index is defined.
std::optional<ESYS_TR> find_nv(ESYS_CONTEXT* esys, std::uint32_t index) {
  ESYS_TR handle = ESYS_TR_NONE;
  const TSS2_RC code = Esys_TR_FromTPMPublic(esys, index, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &handle);
  // TPM_RC_HANDLE for the first parameter; the layer bits say which part of the stack reports it.
  if ((code & ~TSS2_RC_LAYER_MASK) == (TPM2_RC_HANDLE | TPM2_RC_1)) return std::nullopt;
  check("TPM2_NV_ReadPublic", code);
  return handle;
}

}  // namespace

TpmKey::TpmKey(std::shared_ptr<EsysContext> context, std::uint32_t handle, Bytes public_area)
    : context_(std::move(context)), handle_(handle), public_area_(std::move(public_area)) {}

TpmKey::TpmKey(TpmKey&& other) noexcept
    : context_(std::move(other.context_)), handle_(other.handle_), public_area_(std::move(other.public_area_)) {}

TpmKey& TpmKey::operator=(TpmKey&& other) noexcept {
  std::swap(context_, other.context_);
  std::swap(handle_, other.handle_);
  std::swap(public_area_, other.public_area_);
  return *this;
}

TpmKey::~TpmKey() {
  if (context_) Esys_FlushContext(context_->get(), handle_);
}

Tpm::Tpm(std::shared_ptr<EsysContext> context) : context_(std::move(context)) {}
Tpm::Tpm(Tpm&&) noexcept = default;
Tpm& Tpm::operator=(Tpm&&) noexcept = default;
Tpm::~Tpm() = default;

Tpm Tpm::open(const std::string& tcti) { return Tpm(std::make_shared<EsysContext>(tcti)); }

Tpm Tpm::over(TSS2_TCTI_OPAQUE_CONTEXT_BLOB& transport) { return Tpm(std::make_shared<EsysContext>(transport)); }

bool Tpm::knows_tcti(const std::string& name) {
  TSS2_TCTI_INFO* info = nullptr;
  const TSS2_RC code = Tss2_TctiLdr_GetInfo(name.c_str(), &info);
  Tss2_TctiLdr_FreeInfo(&info);
  return code == TSS2_RC_SUCCESS;
}

std::vector<PcrBank> Tpm::pcr_banks() const {
  TPMI_YES_NO more = TPM2_NO;
  TPMS_CAPABILITY_DATA* raw = nullptr;
  check("TPM2_GetCapability(PCRS)", Esys_GetCapability(context_->get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
                                                       TPM2_CAP_PCRS, 0, UINT32_MAX, &more, &raw));
  const EsysPtr<TPMS_CAPABILITY_DATA> data(raw);
  if (more != TPM2_NO || data->capability != TPM2_CAP_PCRS) {
    throw TpmError("TPM2_GetCapability(PCRS): the list of banks is not complete", 0);
  }
  std::vector<PcrBank> banks;
  const TPML_PCR_SELECTION& selections = data->data.assignedPCR;
  for (std::uint32_t i = 0; i < std::min<std::uint32_t>(selections.count, TPM2_NUM_PCR_BANKS); ++i) {
    const auto algorithm = measure::hash_algorithm_of(selections.pcrSelections[i].hash);
    const auto indices = indices_of(selections.pcrSelections[i]);
    if (algorithm && !indices.empty()) banks.push_back({*algorithm, indices});
  }
  std::ranges::sort(banks, {}, &PcrBank::algorithm);
  if (std::ranges::adjacent_find(banks, {}, &PcrBank::algorithm) != banks.end()) {
    throw TpmError("TPM2_GetCapability(PCRS): the TPM lists a bank twice", 0);
  }
  return banks;
}

void Tpm::extend(std::uint32_t pcr, const measure::DigestSet& digests) {
  TPML_DIGEST_VALUES values{};
  for (const measure::Digest& digest : digests) {
    TPMT_HA& value = values.digests[values.count++];
    value.hashAlg = static_cast<TPMI_ALG_HASH>(digest.algorithm());
    static_assert(sizeof(value.digest) == measure::kMaxDigestSize);
    std::memcpy(&value.digest, digest.bytes().data(), digest.bytes().size());
  }
  check("TPM2_PCR_Extend",
        Esys_PCR_Extend(context_->get(), ESYS_TR_PCR0 + pcr, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &values));
}

measure::PcrValues Tpm::read_pcrs(measure::HashAlgorithm bank, std::span<const std::uint32_t> pcrs) const {
  measure::PcrValues values;
  for (std::size_t begin = 0; begin < pcrs.size(); begin += kMaxPcrsPerRead) {
    const auto part = pcrs.subspan(begin, std::min(kMaxPcrsPerRead, pcrs.size() - begin));
    const TPML_PCR_SELECTION wanted = selection_of(bank, part);
    UINT32 update_counter = 0;
    TPML_PCR_SELECTION* raw_selection = nullptr;
    TPML_DIGEST* raw_digests = nullptr;
    check("TPM2_PCR_Read", Esys_PCR_Read(context_->get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &wanted,
                                         &update_counter, &raw_selection, &raw_digests));
    const EsysPtr<TPML_PCR_SELECTION> selection(raw_selection);
    const EsysPtr<TPML_DIGEST> digests(raw_digests);
    if (digests->count != part.size()) throw TpmError("TPM2_PCR_Read: the TPM did not return every PCR", 0);
    for (std::uint32_t i = 0; i < digests->count; ++i) {
      const TPM2B_DIGEST& digest = digests->digests[i];
      if (digest.size != measure::digest_size(bank)) throw TpmError("TPM2_PCR_Read: a value of the wrong size", 0);
      values.emplace(part[i], Bytes(digest.buffer, digest.buffer + digest.size));
    }
  }
  return values;
}

std::optional<Bytes> Tpm::read_nv(std::uint32_t index) const {
  const auto found = find_nv(context_->get(), index);
  if (!found) return std::nullopt;
  const ResourceHandle handle(context_->get(), *found);
  TPM2B_NV_PUBLIC* raw_public = nullptr;
  check("TPM2_NV_ReadPublic", Esys_NV_ReadPublic(context_->get(), handle.get(), ESYS_TR_NONE, ESYS_TR_NONE,
                                                 ESYS_TR_NONE, &raw_public, nullptr));
  const EsysPtr<TPM2B_NV_PUBLIC> nv_public(raw_public);
  const std::uint32_t size = nv_public->nvPublic.dataSize;
  const std::uint32_t block = std::clamp<std::uint32_t>(property(TPM2_PT_NV_BUFFER_MAX), 1, TPM2_MAX_NV_BUFFER_SIZE);
  Bytes content;
  while (content.size() < size) {
    const auto wanted = static_cast<UINT16>(std::min<std::size_t>(block, size - content.size()));
    TPM2B_MAX_NV_BUFFER* raw = nullptr;
    check("TPM2_NV_Read", Esys_NV_Read(context_->get(), ESYS_TR_RH_OWNER, handle.get(), ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                       ESYS_TR_NONE, wanted, static_cast<UINT16>(content.size()), &raw));
    const EsysPtr<TPM2B_MAX_NV_BUFFER> part(raw);
    if (part->size != wanted) throw TpmError("TPM2_NV_Read: fewer bytes than asked for", 0);
    content.insert(content.end(), part->buffer, part->buffer + part->size);
  }
  return content;
}

TpmKey Tpm::create_endorsement_primary(ByteView template_area) {
  TPM2B_PUBLIC in_public{};
  std::size_t offset = 0;
  check("reading a key template as TPMT_PUBLIC",
        Tss2_MU_TPMT_PUBLIC_Unmarshal(template_area.data(), template_area.size(), &offset, &in_public.publicArea));
  const TPM2B_SENSITIVE_CREATE no_sensitive{};
  const TPM2B_DATA no_outside_info{};
  const TPML_PCR_SELECTION no_pcrs{};
  ESYS_TR handle = ESYS_TR_NONE;
  TPM2B_PUBLIC* raw_public = nullptr;
  check("TPM2_CreatePrimary",
        Esys_CreatePrimary(context_->get(), ESYS_TR_RH_ENDORSEMENT, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE,
                           &no_sensitive, &in_public, &no_outside_info, &no_pcrs, &handle, &raw_public, nullptr,
                           nullptr, nullptr));
  const EsysPtr<TPM2B_PUBLIC> out_public(raw_public);
  TpmKey key(context_, handle, Bytes(sizeof(TPMT_PUBLIC)));
  std::size_t length = 0;
  check("encoding TPMT_PUBLIC", Tss2_MU_TPMT_PUBLIC_Marshal(&out_public->publicArea, key.public_area_.data(),
                                                            key.public_area_.size(), &length));
  key.public_area_.resize(length);
  return key;
}

QuoteBlob Tpm::quote(const TpmKey& key, ByteView qualifying_data, const PcrBank& selection) {
  const auto data = to_tpm2b<TPM2B_DATA>(qualifying_data, "qualifying data");
  const TPMT_SIG_SCHEME scheme_of_key{.scheme = TPM2_ALG_NULL, .details = {}};
  const TPML_PCR_SELECTION pcrs = selection_of(selection.algorithm, selection.pcrs);
  TPM2B_ATTEST* raw_attest = nullptr;
  TPMT_SIGNATURE* raw_signature = nullptr;
  check("TPM2_Quote", Esys_Quote(context_->get(), key.handle_, ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE, &data,
                                 &scheme_of_key, &pcrs, &raw_attest, &raw_signature));
  const EsysPtr<TPM2B_ATTEST> attest(raw_attest);
  const EsysPtr<TPMT_SIGNATURE> signature(raw_signature);
  QuoteBlob blob;
  blob.attest.assign(attest->attestationData, attest->attestationData + attest->size);
  blob.signature.resize(sizeof(TPMT_SIGNATURE));
  std::size_t length = 0;
  check("encoding TPMT_SIGNATURE",
        Tss2_MU_TPMT_SIGNATURE_Marshal(signature.get(), blob.signature.data(), blob.signature.size(), &length));
  blob.signature.resize(length);
  return blob;
}

std::uint32_t Tpm::property(std::uint32_t tag) const {
  TPMI_YES_NO more = TPM2_NO;
  TPMS_CAPABILITY_DATA* raw = nullptr;
  check("TPM2_GetCapability(TPM_PROPERTIES)",
        Esys_GetCapability(context_->get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_CAP_TPM_PROPERTIES, tag, 1,
                           &more, &raw));
  const EsysPtr<TPMS_CAPABILITY_DATA> data(raw);
  const TPML_TAGGED_TPM_PROPERTY& properties = data->data.tpmProperties;
  if (data->capability != TPM2_CAP_TPM_PROPERTIES || properties.count != 1 ||
      properties.tpmProperty[0].property != tag) {
    throw TpmError("TPM2_GetCapability(TPM_PROPERTIES): property " + std::to_string(tag) + " is missing", 0);
  }
  return properties.tpmProperty[0].value;
}

LockoutState Tpm::lockout_state() const {
  const std::uint32_t permanent = property(TPM2_PT_PERMANENT);
  return {.counter = property(TPM2_PT_LOCKOUT_COUNTER),
          .max_tries = property(TPM2_PT_MAX_AUTH_FAIL),
          .recovery_seconds = property(TPM2_PT_LOCKOUT_INTERVAL),
          .lockout_recovery_seconds = property(TPM2_PT_LOCKOUT_RECOVERY),
          .startup_was_orderly = (property(TPM2_PT_STARTUP_CLEAR) & kOrderlyStartup) != 0,
          .is_locked_out = (permanent & TPMA_PERMANENT_INLOCKOUT) != 0,
          .has_password = (permanent & TPMA_PERMANENT_LOCKOUTAUTHSET) != 0};
}

void Tpm::set_lockout_parameters(std::uint32_t max_tries, std::uint32_t recovery_seconds,
                                 std::uint32_t lockout_recovery_seconds) {
  check("TPM2_DictionaryAttackParameters",
        Esys_DictionaryAttackParameters(context_->get(), ESYS_TR_RH_LOCKOUT, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                        ESYS_TR_NONE, max_tries, recovery_seconds, lockout_recovery_seconds));
}

void Tpm::startup() {
  const TSS2_RC code = Esys_Startup(context_->get(), TPM2_SU_CLEAR);
  if (code != TPM2_RC_INITIALIZE) check("TPM2_Startup", code);
}

void Tpm::shutdown() {
  check("TPM2_Shutdown", Esys_Shutdown(context_->get(), ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, TPM2_SU_CLEAR));
}

void Tpm::write_platform_nv(std::uint32_t index, ByteView content) {
  ESYS_CONTEXT* esys = context_->get();
  if (const auto old = find_nv(esys, index)) {
    ResourceHandle handle(esys, *old);
    check("TPM2_NV_UndefineSpace",
          Esys_NV_UndefineSpace(esys, ESYS_TR_RH_PLATFORM, handle.get(), ESYS_TR_PASSWORD, ESYS_TR_NONE, ESYS_TR_NONE));
    handle.forget();
  }
  TPM2B_NV_PUBLIC nv_public{};
  nv_public.nvPublic.nvIndex = index;
  nv_public.nvPublic.nameAlg = TPM2_ALG_SHA256;
  nv_public.nvPublic.attributes = TPMA_NV_PPWRITE | TPMA_NV_WRITEDEFINE | TPMA_NV_PPREAD | TPMA_NV_OWNERREAD |
                                  TPMA_NV_AUTHREAD | TPMA_NV_NO_DA | TPMA_NV_PLATFORMCREATE;
  nv_public.nvPublic.dataSize = static_cast<UINT16>(content.size());
  const TPM2B_AUTH no_authorisation{};
  ESYS_TR defined = ESYS_TR_NONE;
  check("TPM2_NV_DefineSpace", Esys_NV_DefineSpace(esys, ESYS_TR_RH_PLATFORM, ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                                   ESYS_TR_NONE, &no_authorisation, &nv_public, &defined));
  const ResourceHandle handle(esys, defined);
  const std::uint32_t block = std::clamp<std::uint32_t>(property(TPM2_PT_NV_BUFFER_MAX), 1, TPM2_MAX_NV_BUFFER_SIZE);
  for (std::size_t offset = 0; offset < content.size(); offset += block) {
    const auto part = to_tpm2b<TPM2B_MAX_NV_BUFFER>(
        content.subspan(offset, std::min<std::size_t>(block, content.size() - offset)), "NV block");
    check("TPM2_NV_Write", Esys_NV_Write(esys, ESYS_TR_RH_PLATFORM, handle.get(), ESYS_TR_PASSWORD, ESYS_TR_NONE,
                                         ESYS_TR_NONE, &part, static_cast<UINT16>(offset)));
  }
}

}  // namespace tpm
