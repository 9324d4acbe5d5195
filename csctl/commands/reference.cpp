#include "csctl/commands/reference.h"

#include "csctl/commands/command.h"

namespace csctl {
namespace {

constexpr const char* kDocumentHelp = "The document of reference values: a JSON file";
constexpr const char* kAtHelp = "When: such as 2026-01-31T23:59:59Z; without it now";

void add_add_options(CLI::App& command, ReferenceAddOptions& options) {
  command.add_option("DOCUMENT", options.document, "The document of reference values; made when it is not there")
      ->required();
  command
      .add_option("ENTRY", options.entries,
                  "Files with an entry, such as cs-verifier reference-value prints, or with a document, such as make "
                  "image writes; - for standard input")
      ->required();
}

void add_deprecate_options(CLI::App& command, ReferenceDeprecateOptions& options) {
  command.add_option("DOCUMENT", options.document, kDocumentHelp)->required();
  command.add_option("NAME", options.names, "Of the entries")->required();
}

void add_sign_options(CLI::App& command, ReferenceSignOptions& options) {
  command.add_option("DOCUMENT", options.document, kDocumentHelp)->required();
  command.add_option("--key", options.key, "The publisher's private key, Ed25519 in PEM")
      ->type_name("FILE")
      ->required();
  command.add_option("--publisher", options.publisher, "Whose document it is; without it as the document says")
      ->type_name("NAME");
  command.add_option("--version", options.version, "Without it one more than before")->type_name("NUMBER");
  CLI::Option* expires =
      command.add_option("--expires", options.expires, "From when on it vouches for nothing; without it as before");
  expires->type_name("TIME");
  command.add_option("--days", options.days, "The same, in so many days from now")
      ->type_name("NUMBER")
      ->excludes(expires);
}

void add_list_options(CLI::App& command, ReferenceListOptions& options) {
  command.add_option("DOCUMENT", options.document, kDocumentHelp)->required();
  command.add_option("--at", options.at, kAtHelp)->type_name("TIME");
}

void add_verify_options(CLI::App& command, ReferenceVerifyOptions& options) {
  command.add_option("DOCUMENT", options.document, kDocumentHelp)->required();
  CLI::Option* keys = command.add_option("--keys", options.keys, "The publisher's public keys, Ed25519 in PEM");
  keys->type_name("FILE");
  command.add_option("--signature", options.signature, "Without it DOCUMENT.sig")->type_name("FILE")->needs(keys);
  command.add_option("--at", options.at, kAtHelp)->type_name("TIME");
}

void add_diff_options(CLI::App& command, ReferenceDiffOptions& options) {
  constexpr const char* kImageHelp =
      "A unified kernel image (.efi) of an image build, with what the build has left beside it; or a document of "
      "reference values";
  command.add_option("BEFORE", options.before, kImageHelp)->required();
  command.add_option("AFTER", options.after, kImageHelp)->required();
  command.add_option("--before", options.name_before, "The entry, in a document with several")->type_name("NAME");
  command.add_option("--after", options.name_after, "The same of the other one")->type_name("NAME");
}

}  // namespace

void add_reference(CLI::App& app, Work& work) {
  CLI::App& noun = add_noun(app, "reference", "Reference values: by which a verifier knows VM images");
  add_verb<ReferenceAddOptions>(noun,
                                {.name = "add",
                                 .help = "Put entries into a document",
                                 .example = "csctl reference add values.json build/image/reference-values.json\n"
                                            "csctl reference add values.json - < entry.json"},
                                work, add_add_options, add_reference);
  add_verb<ReferenceListOptions>(noun,
                                 {.name = "list",
                                  .help = "Show the entries of a document, and what each states",
                                  .example = "csctl reference list values.json"},
                                 work, add_list_options, list_reference);
  add_verb<ReferenceDeprecateOptions>(noun,
                                      {.name = "deprecate",
                                       .help = "Have entries stay known and vouch for no machine any more",
                                       .example = "csctl reference deprecate values.json my-image-1"},
                                      work, add_deprecate_options, deprecate_reference);
  add_verb<ReferenceSignOptions>(
      noun,
      {.name = "sign",
       .help = "Make a document its publisher's next publication, with a signature beside it",
       .example = "csctl reference sign image-team.json --key image-team.key --publisher image-team --days 60\n"
                  "csctl reference sign image-team.json --key image-team.key --days 60"},
      work, add_sign_options, sign_reference);
  add_verb<ReferenceVerifyOptions>(noun,
                                   {.name = "verify",
                                    .help = "Tell whether a verifier would take a document, and whose it is",
                                    .example = "csctl reference verify image-team.json --keys image-team.pem"},
                                   work, add_verify_options, verify_reference);
  add_verb<ReferenceDiffOptions>(noun,
                                 {.name = "diff",
                                  .help = "Tell what two images have not in common, and which registers move by it",
                                  .example = "csctl reference diff before/hardened.efi build/image/hardened.efi\n"
                                             "csctl reference diff values.json values.json --before my-image-1 "
                                             "--after my-image-2"},
                                 work, add_diff_options, diff_reference);
}

}  // namespace csctl
