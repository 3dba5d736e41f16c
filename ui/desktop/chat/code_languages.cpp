#include "ui/desktop/chat/code_languages.h"

#include <algorithm>

namespace hearth::ui {

using namespace Qt::StringLiterals;

namespace {

using Quote = CodeLanguage::Quote;
using Shape = CodeLanguage::Shape;

QSet<QString> words(const char* list) {
  const QStringList all = QString::fromLatin1(list).split(u' ', Qt::SkipEmptyParts);
  return {all.begin(), all.end()};
}

const Quote kDouble{u"\""_s, u"\""_s};
const Quote kSingle{u"'"_s, u"'"_s};

const char* const kC =
    "alignas alignof and asm auto bool break case catch char char8_t char16_t char32_t class co_await co_return co_yield concept const consteval "
    "constexpr constinit const_cast continue decltype default delete do double dynamic_cast else enum explicit export extern false final float "
    "for friend goto if inline int long mutable namespace new noexcept not nullptr NULL operator or override private protected public register "
    "reinterpret_cast requires restrict return short signed sizeof static static_assert static_cast struct switch template this thread_local "
    "throw true try typedef typeid typename union unsigned using virtual void volatile wchar_t while size_t int8_t int16_t int32_t int64_t "
    "uint8_t uint16_t uint32_t uint64_t __global__ __device__ __host__ __shared__";
const char* const kPython =
    "False None True and as assert async await break case class continue def del elif else except finally for from global if import in is lambda "
    "match nonlocal not or pass raise return try while with yield self cls";
const char* const kScript =
    "abstract any as async await boolean break case catch class const constructor continue debugger declare default delete do else enum export "
    "extends false finally for from function get if implements import in infer instanceof interface is keyof let namespace never new null number "
    "of private protected public readonly return satisfies set static string super switch symbol this throw true try type typeof undefined "
    "unknown var void while with yield";
const char* const kJava =
    "abstract assert boolean break byte case catch char class const continue default do double else enum extends false final finally float for if "
    "implements import instanceof int interface long native new null package permits private protected public record return sealed short static "
    "strictfp super switch synchronized this throw throws transient true try var void volatile while yield fun val when object data companion "
    "override open internal suspend lateinit";
const char* const kGo =
    "any append bool break byte case cap chan close const continue copy default defer delete else error fallthrough false float32 float64 for func "
    "go goto if import int int16 int32 int64 int8 interface len make map new nil package panic range recover return rune select string struct "
    "switch true type uint uint16 uint32 uint64 uint8 uintptr var";
const char* const kRust =
    "as async await bool break char const continue crate dyn else enum extern f32 f64 false fn for i128 i16 i32 i64 i8 if impl in isize let loop "
    "match mod move mut pub ref return self Self static str struct super trait true type u128 u16 u32 u64 u8 union unsafe use usize where while "
    "None Some Ok Err";
const char* const kSharp =
    "abstract as async await base bool break byte case catch char checked class const continue decimal default delegate do double else enum event "
    "explicit extern false finally fixed float for foreach get goto if implicit in init int interface internal is lock long namespace new null "
    "object operator out override params partial private protected public readonly record ref required return sbyte sealed set short sizeof "
    "stackalloc static string struct switch this throw true try typeof uint ulong unchecked unsafe ushort using value var virtual void volatile "
    "when where while with yield";
const char* const kShell =
    "alias break case cd continue declare do done echo elif else esac eval exec exit export fi for function if in local printf read readonly return "
    "set shift source sudo test then trap true false unset until while apt apt-get cat chmod cmake cp curl docker git grep ls make mkdir mv npm pip "
    "python python3 rm sed systemctl tar wget";
const char* const kSql =
    "add all alter and as asc begin between bigint boolean by cascade case cast char check coalesce column commit constraint count create cross "
    "current_date current_timestamp database date decimal default delete desc distinct drop else end except exists explain extract false fetch "
    "float foreign from full function grant group having if ilike in index inner insert int integer intersect interval into is join key lateral "
    "left like limit max min not null numeric offset on or order outer over partition primary procedure real recursive references returning revoke "
    "right rollback row_number rows select serial set smallint sum avg table temporary text then time timestamp to transaction trigger true "
    "truncate union unique update using values varchar view when where window with";
const char* const kRuby =
    "alias and attr_accessor attr_reader begin break case class def defined? do else elsif end ensure false for if in include module next nil not "
    "or private protected public puts raise redo require rescue retry return self super then true undef unless until when while yield";
const char* const kLua = "and break do else elseif end false for function goto if in local nil not or repeat return then true until while";
const char* const kPhp =
    "abstract and array as break case catch class const continue declare default do echo else elseif extends final finally fn for foreach function "
    "global if implements include instanceof interface match namespace new null or print private protected public readonly require return static "
    "switch throw trait true false try use var while yield";
const char* const kSwift =
    "actor any as associatedtype async await break case catch class continue default defer deinit do else enum extension false fileprivate for func "
    "guard if import in init inout internal is let nil open operator override private protocol public repeat rethrows return self Self static "
    "struct subscript super switch throw throws true try typealias var where while";
const char* const kCmake =
    "add_executable add_library add_subdirectory add_test cmake_minimum_required else elseif endforeach endfunction endif endmacro find_package "
    "foreach function if include install macro message option project return set target_compile_definitions target_compile_options "
    "target_include_directories target_link_libraries PUBLIC PRIVATE INTERFACE REQUIRED";

std::vector<CodeLanguage> make() {
  const Quote tick{u"`"_s, u"`"_s, true, true};
  const Quote raw{u"`"_s, u"`"_s, false, true};
  const Quote plain{u"'"_s, u"'"_s, false, true};
  const Quote tripleDouble{u"\"\"\""_s, u"\"\"\""_s, true, true};
  const Quote tripleSingle{u"'''"_s, u"'''"_s, true, true};
  const QString open = u"/*"_s;
  const QString close = u"*/"_s;
  return {
      {Shape::Code, {u"cpp"_s, u"c++"_s, u"c"_s, u"cc"_s, u"h"_s, u"hpp"_s, u"cxx"_s, u"cuda"_s, u"cu"_s, u"objc"_s, u"arduino"_s, u"glsl"_s}, {u"//"_s}, open, close, {kDouble, kSingle}, words(kC), false, true, false, {}},
      {Shape::Code, {u"python"_s, u"py"_s, u"python3"_s, u"ipython"_s}, {u"#"_s}, {}, {}, {tripleDouble, tripleSingle, kDouble, kSingle}, words(kPython), false, false, true, {}},
      {Shape::Code, {u"javascript"_s, u"js"_s, u"typescript"_s, u"ts"_s, u"jsx"_s, u"tsx"_s, u"mjs"_s, u"node"_s}, {u"//"_s}, open, close, {kDouble, kSingle, tick}, words(kScript), false, false, true, u"$"_s},
      {Shape::Code, {u"java"_s, u"kotlin"_s, u"kt"_s, u"scala"_s, u"groovy"_s, u"dart"_s}, {u"//"_s}, open, close, {tripleDouble, kDouble, kSingle}, words(kJava), false, false, true, {}},
      {Shape::Code, {u"go"_s, u"golang"_s}, {u"//"_s}, open, close, {kDouble, kSingle, raw}, words(kGo), false, false, false, {}},
      {Shape::Code, {u"rust"_s, u"rs"_s}, {u"//"_s}, open, close, {{u"\""_s, u"\""_s, true, true}}, words(kRust), false, false, false, {}},
      {Shape::Code, {u"csharp"_s, u"c#"_s, u"cs"_s}, {u"//"_s}, open, close, {{u"@\""_s, u"\""_s, false, true}, kDouble, kSingle}, words(kSharp), false, true, false, {}},
      {Shape::Code, {u"shell"_s, u"sh"_s, u"bash"_s, u"zsh"_s, u"console"_s, u"shellscript"_s, u"fish"_s, u"dockerfile"_s, u"docker"_s, u"makefile"_s, u"make"_s}, {u"#"_s}, {}, {}, {{u"\""_s, u"\""_s, true, true}, plain}, words(kShell), false, false, false, u"-"_s},
      {Shape::Code, {u"sql"_s, u"postgresql"_s, u"mysql"_s, u"sqlite"_s, u"plsql"_s}, {u"--"_s}, open, close, {{u"'"_s, u"'"_s, false, true}, {u"\""_s, u"\""_s, false}}, words(kSql), true, false, false, {}},
      {Shape::Data, {u"json"_s, u"jsonc"_s, u"json5"_s, u"jsonl"_s}, {u"//"_s}, open, close, {kDouble}, words("true false null"), false, false, false, {}},
      {Shape::Data, {u"yaml"_s, u"yml"_s, u"toml"_s, u"ini"_s, u"conf"_s, u"properties"_s, u"env"_s}, {u"#"_s}, {}, {}, {kDouble, {u"'"_s, u"'"_s, false}}, words("true false null yes no on off ~"), false, false, false, u"-."_s},
      {Shape::Markup, {u"html"_s, u"xml"_s, u"svg"_s, u"xhtml"_s, u"vue"_s, u"svelte"_s, u"xaml"_s, u"plist"_s}, {}, u"<!--"_s, u"-->"_s, {{u"\""_s, u"\""_s, false, true}, {u"'"_s, u"'"_s, false, true}}, {}, false, false, false, u"-:."_s},
      {Shape::Styles, {u"css"_s, u"scss"_s, u"less"_s, u"sass"_s, u"qss"_s}, {}, open, close, {kDouble, kSingle}, words("important inherit initial unset none auto"), false, false, true, u"-"_s},
      {Shape::Code, {u"ruby"_s, u"rb"_s}, {u"#"_s}, {}, {}, {kDouble, kSingle}, words(kRuby), false, false, true, u"?!"_s},
      {Shape::Code, {u"lua"_s}, {u"--"_s}, u"--[["_s, u"]]"_s, {kDouble, kSingle}, words(kLua), false, false, false, {}},
      {Shape::Code, {u"php"_s}, {u"//"_s, u"#"_s}, open, close, {kDouble, kSingle}, words(kPhp), false, false, false, u"$"_s},
      {Shape::Code, {u"swift"_s}, {u"//"_s}, open, close, {tripleDouble, kDouble}, words(kSwift), false, false, true, {}},
      {Shape::Code, {u"cmake"_s}, {u"#"_s}, {}, {}, {kDouble}, words(kCmake), true, false, false, {}},
      {Shape::Code, {u"text"_s, u"txt"_s, u"plaintext"_s, u"plain"_s, u"output"_s, u"log"_s, u"markdown"_s, u"md"_s, u"diff"_s, u"latex"_s, u"tex"_s}, {}, {}, {}, {}, {}, false, false, false, {}},
  };
}

}  // namespace

const std::vector<CodeLanguage>& codeLanguages() {
  static const std::vector<CodeLanguage> all = make();
  return all;
}

const CodeLanguage& codeLanguage(const QString& name) {
  const QString wanted = name.toLower();
  for (const CodeLanguage& each : codeLanguages()) {
    if (each.names.contains(wanted)) return each;
  }
  // Strings and numbers look alike nearly everywhere; comments and words do not.
  static const CodeLanguage unknown{Shape::Code, {}, {u"//"_s}, u"/*"_s, u"*/"_s, {kDouble}, {}, false, false, false, {}};
  return unknown;
}

}  // namespace hearth::ui
