#include "verifier/tokens/pkcs11_token.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <future>
#include <map>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include <openssl/crypto.h>
#include <p11-kit/p11-kit.h>
#include <p11-kit/uri.h>

#include "base/file.h"
#include "base/free_with.h"
#include "base/openssl.h"
#include "verifier/tokens/secret_file.h"

namespace verifier {
namespace {

constexpr std::size_t kMaxPinBytes = 256;
constexpr std::size_t kMaxRsaBytes = 8192 / 8;
constexpr std::size_t kKeyIdBytes = 16;
constexpr std::size_t kMaxSlots = 1024;
/// What a person sees who lists the token's objects.
constexpr std::string_view kKeyLabel = "cs-verifier";

using Pkcs11UriPtr = std::unique_ptr<P11KitUri, base::FreeWith<p11_kit_uri_free>>;

Pkcs11UriPtr parse_token_uri(const std::string& text) {
  Pkcs11UriPtr uri(p11_kit_uri_new());
  const int result = p11_kit_uri_parse(text.c_str(), P11_KIT_URI_FOR_TOKEN, uri.get());
  if (result != P11_KIT_URI_OK) throw base::InvalidInput("pkcs11.token", p11_kit_uri_message(result));
  // The module and the PIN are configured beside it; what the library would pass over would name another token.
  if (text.find('?') != std::string::npos || p11_kit_uri_any_unrecognized(uri.get()) != 0) {
    throw base::InvalidInput("pkcs11.token", "names something else than a token");
  }
  // Else whatever is in the slot would be given the PIN.
  const auto is_given = [](CK_UTF8CHAR first) { return first != 0 && first != ' '; };
  const CK_TOKEN_INFO& named = *p11_kit_uri_get_token_info(uri.get());
  if (!is_given(named.label[0]) && !is_given(named.serialNumber[0])) {
    throw base::InvalidInput("pkcs11.token", "names neither a token's label (token=) nor its number (serial=)");
  }
  return uri;
}

/// A PIN that is gone from memory when it goes.
class Pin {
 public:
  explicit Pin(const std::filesystem::path& file) {
    expect_secret_of_group(file);
    text_ = base::read_text_file(file, kMaxPinBytes);
    if (text_.ends_with('\n')) text_.pop_back();
    // The token would count it as a wrong one.
    const auto is_control = [](char c) { return static_cast<unsigned char>(c) < ' '; };
    if (text_.empty() || std::ranges::any_of(text_, is_control)) {
      throw base::Error(file.string() + " holds no PIN in one line");
    }
  }
  ~Pin() { OPENSSL_cleanse(text_.data(), text_.size()); }
  Pin(const Pin&) = delete;
  Pin& operator=(const Pin&) = delete;

  CK_UTF8CHAR* data() { return reinterpret_cast<CK_UTF8CHAR*>(text_.data()); }
  CK_ULONG size() const { return text_.size(); }
  base::Bytes digest() const {
    base::Sha256 hash;
    hash.update(base::view_of(text_));
    return hash.finish();
  }

 private:
  std::string text_;
};

class Pkcs11Error : public base::Error {
 public:
  Pkcs11Error(const char* what, CK_RV code) : base::Error(std::string(what) + ": " + p11_kit_strerror(code)) {
    if (means_token_is_away(code)) set_transience(base::Transience::kMayPass);
  }
};

/// The key may have been made since the connection was.
class KeyNotFound : public base::Error {
 public:
  using base::Error::Error;
};

void expect_ok(CK_RV code, const char* what) {
  if (code != CKR_OK) throw Pkcs11Error(what, code);
}

template <typename Value>
CK_ATTRIBUTE attribute(CK_ATTRIBUTE_TYPE type, Value& value) {
  return {type, &value, sizeof(value)};
}

CK_ATTRIBUTE bytes_attribute(CK_ATTRIBUTE_TYPE type, base::ByteView bytes) {
  return {type, const_cast<std::uint8_t*>(bytes.data()), bytes.size()};  // NOLINT: the template is only read
}

/// An open session, closed with it.
class OpenSession {
 public:
  OpenSession(CK_FUNCTION_LIST& module, CK_SLOT_ID slot, CK_FLAGS flags) : module_(module) {
    expect_ok(module.C_OpenSession(slot, CKF_SERIAL_SESSION | flags, nullptr, nullptr, &handle_), "C_OpenSession");
  }
  OpenSession(const OpenSession&) = delete;
  OpenSession& operator=(const OpenSession&) = delete;
  ~OpenSession() { module_.C_CloseSession(handle_); }

  CK_SESSION_HANDLE handle() const { return handle_; }

  /// Some of the objects of that class and id, all of them if there are few.
  std::vector<CK_OBJECT_HANDLE> find(CK_OBJECT_CLASS object_class, base::ByteView id) const {
    std::array filter{attribute(CKA_CLASS, object_class), bytes_attribute(CKA_ID, id)};
    expect_ok(module_.C_FindObjectsInit(handle_, filter.data(), filter.size()), "C_FindObjectsInit");
    std::array<CK_OBJECT_HANDLE, 4> found{};
    CK_ULONG count = 0;
    const CK_RV result = module_.C_FindObjects(handle_, found.data(), found.size(), &count);
    module_.C_FindObjectsFinal(handle_);
    expect_ok(result, "C_FindObjects");
    return {found.begin(), found.begin() + static_cast<std::ptrdiff_t>(std::min<CK_ULONG>(count, found.size()))};
  }

  CK_OBJECT_HANDLE find_one(CK_OBJECT_CLASS object_class, base::ByteView id) const {
    const std::vector<CK_OBJECT_HANDLE> found = find(object_class, id);
    if (found.empty()) throw KeyNotFound("the token has no key of this id");
    if (found.size() > 1) throw base::Error("the token has more than one key of this id");
    return found.front();
  }

  void expect_rsa(CK_OBJECT_HANDLE key) const {
    CK_KEY_TYPE type = CK_UNAVAILABLE_INFORMATION;
    CK_ATTRIBUTE wanted = attribute(CKA_KEY_TYPE, type);
    expect_ok(module_.C_GetAttributeValue(handle_, key, &wanted, 1), "C_GetAttributeValue");
    if (type != CKK_RSA) throw base::Error("the token's key of this id is no RSA key");
  }

  base::Bytes number(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type) const {
    base::Bytes bytes(kMaxRsaBytes);
    CK_ATTRIBUTE wanted{type, bytes.data(), bytes.size()};
    expect_ok(module_.C_GetAttributeValue(handle_, object, &wanted, 1), "C_GetAttributeValue");
    bytes.resize(std::min<std::size_t>(wanted.ulValueLen, bytes.size()));
    return bytes;
  }

 private:
  CK_FUNCTION_LIST& module_;
  CK_SESSION_HANDLE handle_ = 0;
};

/// From C_Initialize to C_Finalize, logged in.
class Connection {
 public:
  Connection(CK_FUNCTION_LIST& module, P11KitUri& token, Pin& pin) : initialized_(module) {
    slot_ = find_slot(token);
    session_.emplace(module, slot_, 0);
    CK_TOKEN_INFO info{};
    expect_ok(module.C_GetTokenInfo(slot_, &info), "C_GetTokenInfo");
    if (const char* why = why_no_login(info.flags)) throw base::Error(why);
    const CK_RV result = module.C_Login(session_->handle(), CKU_USER, pin.data(), pin.size());
    if (is_answer_to_pin(result)) throw WrongPin(std::string("C_Login: ") + p11_kit_strerror(result));
    if (result != CKR_USER_ALREADY_LOGGED_IN) expect_ok(result, "C_Login");
  }

  /// Stays open, as the login ends with the last session.
  const OpenSession& session() const { return *session_; }
  OpenSession open_to_write() const { return {module(), slot_, CKF_RW_SESSION}; }
  CK_FUNCTION_LIST& module() const { return initialized_.module; }

  CK_OBJECT_HANDLE private_key(base::ByteView id) {
    const base::Bytes key(id.begin(), id.end());
    const auto found = private_keys_.find(key);
    if (found != private_keys_.end()) return found->second;
    return private_keys_[key] = session_->find_one(CKO_PRIVATE_KEY, id);
  }
  void forget(base::ByteView id) { private_keys_.erase(base::Bytes(id.begin(), id.end())); }

 private:
  CK_SLOT_ID find_slot(P11KitUri& token) const {
    // The first call, without a place for the answer, has a library look for slots that have come or gone.
    CK_ULONG count = 0;
    expect_ok(module().C_GetSlotList(CK_TRUE, nullptr, &count), "C_GetSlotList");
    std::vector<CK_SLOT_ID> slots(std::min<CK_ULONG>(count, kMaxSlots));
    count = slots.size();
    if (count > 0) expect_ok(module().C_GetSlotList(CK_TRUE, slots.data(), &count), "C_GetSlotList");
    slots.resize(std::min<std::size_t>(count, slots.size()));
    std::optional<CK_SLOT_ID> found;
    for (const CK_SLOT_ID slot : slots) {
      CK_TOKEN_INFO info{};
      if (module().C_GetTokenInfo(slot, &info) != CKR_OK || p11_kit_uri_match_token_info(&token, &info) != 1) continue;
      if (found) throw base::Error("more than one token is called so");
      found = slot;
    }
    if (!found) throw Pkcs11Error("no token is called so", CKR_TOKEN_NOT_PRESENT);
    return *found;
  }

  struct Initialized {
    explicit Initialized(CK_FUNCTION_LIST& its_module) : module(its_module) {
      const CK_RV result = p11_kit_module_initialize(&module);
      // Where a device was gone, C_Finalize may have failed before.
      if (result != CKR_CRYPTOKI_ALREADY_INITIALIZED) expect_ok(result, "C_Initialize");
    }
    ~Initialized() { p11_kit_module_finalize(&module); }
    Initialized(const Initialized&) = delete;
    Initialized& operator=(const Initialized&) = delete;
    CK_FUNCTION_LIST& module;
  };

  Initialized initialized_;
  CK_SLOT_ID slot_ = 0;
  std::optional<OpenSession> session_;
  std::map<base::Bytes, CK_OBJECT_HANDLE> private_keys_;
};

void generate_key(const Connection& connection, base::ByteView id, CK_ULONG modulus_bits) {
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  const base::Bytes exponent = {1, 0, 1};
  const base::ByteView label = base::view_of(kKeyLabel);
  std::array public_half{attribute(CKA_TOKEN, yes),
                         attribute(CKA_VERIFY, yes),
                         attribute(CKA_MODULUS_BITS, modulus_bits),
                         bytes_attribute(CKA_PUBLIC_EXPONENT, exponent),
                         bytes_attribute(CKA_ID, id),
                         bytes_attribute(CKA_LABEL, label)};
  std::array private_half{attribute(CKA_TOKEN, yes),        attribute(CKA_PRIVATE, yes),
                          attribute(CKA_SENSITIVE, yes),    attribute(CKA_SIGN, yes),
                          attribute(CKA_EXTRACTABLE, no),   bytes_attribute(CKA_ID, id),
                          bytes_attribute(CKA_LABEL, label)};
  CK_MECHANISM mechanism{CKM_RSA_PKCS_KEY_PAIR_GEN, nullptr, 0};
  CK_OBJECT_HANDLE public_key = 0;
  CK_OBJECT_HANDLE private_key = 0;
  const OpenSession session = connection.open_to_write();
  expect_ok(connection.module().C_GenerateKeyPair(session.handle(), &mechanism, public_half.data(), public_half.size(),
                                                  private_half.data(), private_half.size(), &public_key, &private_key),
            "C_GenerateKeyPair");
}

void destroy_key(Connection& connection, base::ByteView id) {
  connection.forget(id);
  const OpenSession session = connection.open_to_write();
  for (const CK_OBJECT_CLASS half : {CKO_PRIVATE_KEY, CKO_PUBLIC_KEY}) {
    for (const CK_OBJECT_HANDLE object : session.find(half, id)) {
      expect_ok(connection.module().C_DestroyObject(session.handle(), object), "C_DestroyObject");
    }
  }
}

/// Of a token that may be well later.
base::Error no_answer() {
  base::Error error("the token does not answer");
  error.set_transience(base::Transience::kMayPass);
  return error;
}

struct ReleaseModule {
  void operator()(CK_FUNCTION_LIST* module) const { p11_kit_module_release(module); }
};

}  // namespace

struct Pkcs11Token::Impl {
  Impl(Pkcs11Config its_config, base::Clock its_clock)
      : config(std::move(its_config)),
        clock(std::move(its_clock)),
        uri(parse_token_uri(config.token)),
        module(p11_kit_module_load(config.module.c_str(), P11_KIT_MODULE_UNMANAGED)) {
    if (!module) {
      const char* why = p11_kit_message();
      throw base::InvalidInput("pkcs11.module", config.module.string() + " can't be loaded" +
                                                    (why != nullptr ? ": " + std::string(why) : std::string()));
    }
  }

  /// What `operation(connection)` returns. Tried once more on a new connection when that which was there is lost, or is
  /// too old to know the key.
  template <typename Operation>
  auto run(Operation operation) {
    const std::unique_lock alone(mutex, kPkcs11Patience);
    try {
      if (!alone) throw no_answer();
      if (connection) {
        try {
          return operation(*connection);
        } catch (const KeyNotFound&) {
          if (clock.since_boot() < connected_at + kPkcs11ReconnectPause) throw;
        } catch (const base::Error& error) {
          if (!error.may_pass()) throw;
        }
        connection.reset();
      }
      return run_anew(operation);
    } catch (const WrongPin& error) {
      throw WrongPin(config.token + ": " + error.what());
    } catch (const base::Error& error) {
      throw error.in_context(config.token);
    }
  }

  template <typename Operation>
  auto run_anew(Operation operation) {
    const std::chrono::nanoseconds now = clock.since_boot();
    if (failure && now < failed_at + kPkcs11ReconnectPause) throw base::Error(*failure);
    failure.reset();
    try {
      connect();
      connected_at = now;
      return operation(*connection);
    } catch (const base::Error& error) {
      if (error.may_pass()) {
        connection.reset();
        failure = error;
        failed_at = now;
      }
      throw;
    }
  }

  void connect() {
    Pin pin(config.pin_file);
    base::Bytes digest = pin.digest();
    if (digest == refused_pin) throw WrongPin("the PIN of " + config.pin_file.string() + " was refused before");
    try {
      connection = std::make_unique<Connection>(*module, *uri, pin);
    } catch (const WrongPin& error) {
      refused_pin = std::move(digest);
      throw WrongPin(error.what() + (" (" + config.pin_file.string() + ")"));
    }
  }

  Pkcs11Config config;
  base::Clock clock;
  Pkcs11UriPtr uri;
  std::unique_ptr<CK_FUNCTION_LIST, ReleaseModule> module;

  std::timed_mutex mutex;  ///< of all that follows, and of the library
  std::unique_ptr<Connection> connection;
  std::chrono::nanoseconds connected_at{0};  ///< since boot
  std::optional<base::Error> failure;        ///< of the last try to connect
  std::chrono::nanoseconds failed_at{0};     ///< since boot
  base::Bytes refused_pin;                   ///< its SHA-256
};

namespace {

/// What `call()` returns. On a thread of its own, which is left behind when it takes longer: so it must own all it
/// uses.
template <typename Call>
auto within(std::chrono::seconds patience, const std::string& token, Call call) {
  std::packaged_task<std::invoke_result_t<Call>()> task(std::move(call));
  auto result = task.get_future();
  std::thread(std::move(task)).detach();
  // Those that wait for others in front of them give up first.
  if (result.wait_for(patience + std::chrono::seconds(1)) == std::future_status::ready) return result.get();
  throw no_answer().in_context(token);
}

base::Bytes copy_of(base::ByteView bytes) { return {bytes.begin(), bytes.end()}; }

}  // namespace

Pkcs11Token::Pkcs11Token(Pkcs11Config config, base::Clock clock)
    : impl_(std::make_shared<Impl>(std::move(config), std::move(clock))) {}
Pkcs11Token::~Pkcs11Token() = default;

base::Bytes Pkcs11Token::generate_rsa(unsigned bits) const {
  struct Making {
    base::Bytes id;  ///< of the last try, also when its answer was lost
    std::atomic<bool> is_over = false;
  };
  const auto making = std::make_shared<Making>();
  const auto make = [impl = impl_, bits, making] {
    impl->run([&](Connection& connection) {
      if (!making->id.empty()) destroy_key(connection, making->id);
      making->id = base::random_bytes(kKeyIdBytes);
      generate_key(connection, making->id, bits);
    });
    const bool is_unwanted = making->is_over.exchange(true);
    if (is_unwanted) impl->run([&](Connection& connection) { destroy_key(connection, making->id); });
  };
  try {
    within(kPkcs11MakePatience, impl_->config.token, make);
  } catch (const base::Error&) {
    // Who is first decides: a key that comes when nobody waits any more is taken away by its maker.
    const bool is_made = making->is_over.exchange(true);
    if (!is_made) throw;
  }
  return making->id;
}

Pkcs11Token::RsaPublicKey Pkcs11Token::public_key(base::ByteView id) const {
  return within(kPkcs11Patience, impl_->config.token, [impl = impl_, id = copy_of(id)] {
    return impl->run([&](Connection& connection) {
      const OpenSession& session = connection.session();
      // Not every token keeps the public half; the private one tells these two as well.
      const bool has_public_half = !session.find(CKO_PUBLIC_KEY, id).empty();
      const CK_OBJECT_HANDLE key = session.find_one(has_public_half ? CKO_PUBLIC_KEY : CKO_PRIVATE_KEY, id);
      session.expect_rsa(key);
      return RsaPublicKey{session.number(key, CKA_MODULUS), session.number(key, CKA_PUBLIC_EXPONENT)};
    });
  });
}

base::Bytes Pkcs11Token::sign_rs256(base::ByteView id, base::ByteView bytes) const {
  auto sign = [impl = impl_, id = copy_of(id), bytes = copy_of(bytes)]() mutable {
    return impl->run([&](Connection& connection) {
      CK_FUNCTION_LIST& module = connection.module();
      const CK_SESSION_HANDLE session = connection.session().handle();
      CK_MECHANISM mechanism{CKM_SHA256_RSA_PKCS, nullptr, 0};
      expect_ok(module.C_SignInit(session, &mechanism, connection.private_key(id)), "C_SignInit");
      base::Bytes signature(kMaxRsaBytes);
      CK_ULONG size = signature.size();
      // Whatever it returns, it has ended the operation: there is room for the longest signature.
      expect_ok(module.C_Sign(session, bytes.data(), bytes.size(), signature.data(), &size), "C_Sign");
      signature.resize(std::min<std::size_t>(size, signature.size()));
      return signature;
    });
  };
  return within(kPkcs11Patience, impl_->config.token, std::move(sign));
}

void Pkcs11Token::destroy(base::ByteView id) const {
  within(kPkcs11Patience, impl_->config.token,
         [impl = impl_, id = copy_of(id)] { impl->run([&](Connection& connection) { destroy_key(connection, id); }); });
}

bool means_token_is_away(unsigned long code) {  // NOLINT(google-runtime-int)
  switch (code) {
    case CKR_CRYPTOKI_NOT_INITIALIZED:
    case CKR_DEVICE_ERROR:
    case CKR_DEVICE_REMOVED:
    case CKR_FUNCTION_FAILED:
    case CKR_GENERAL_ERROR:
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID:
    case CKR_OPERATION_ACTIVE:
    case CKR_SESSION_CLOSED:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SLOT_ID_INVALID:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_USER_NOT_LOGGED_IN: return true;
    default: return false;
  }
}

bool is_answer_to_pin(unsigned long code) {  // NOLINT(google-runtime-int)
  switch (code) {
    case CKR_OK:
    case CKR_USER_ALREADY_LOGGED_IN:
    case CKR_CRYPTOKI_NOT_INITIALIZED:
    case CKR_DEVICE_ERROR:
    case CKR_DEVICE_REMOVED:
    case CKR_HOST_MEMORY:
    case CKR_SESSION_CLOSED:
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_TOKEN_NOT_PRESENT: return false;
    default: return true;
  }
}

const char* why_no_login(unsigned long flags) {  // NOLINT(google-runtime-int)
  if ((flags & CKF_USER_PIN_LOCKED) != 0) return "the token has locked the user's PIN";
  if ((flags & CKF_USER_PIN_FINAL_TRY) != 0) {
    return "a wrong PIN would lock the token: log in by hand with the right one first";
  }
  if ((flags & CKF_USER_PIN_INITIALIZED) == 0) return "the token has no user's PIN yet";
  return nullptr;
}

}  // namespace verifier
