#include "tests/unit/sync-server/api/schema.hpp"

#include <regex>

#include "common/base/time.hpp"

namespace pf::tests {

using Json = nlohmann::json;

namespace {

bool is_type(const Json& value, const std::string& type) {
    if (type == "object") return value.is_object();
    if (type == "array") return value.is_array();
    if (type == "string") return value.is_string();
    if (type == "integer") return value.is_number_integer();
    if (type == "boolean") return value.is_boolean();
    if (type == "null") return value.is_null();
    return false;
}

bool one_of_types(const Json& value, const Json& type) {
    if (type.is_string()) return is_type(value, type.get<std::string>());
    for (const Json& one : type)
        if (is_type(value, one.get<std::string>())) return true;
    return false;
}

bool formatted(const std::string& text, const std::string& format) {
    if (format == "date-time") return wall_from_rfc3339(text).has_value();
    if (format == "date") return day_from(text).has_value();
    return false;
}

class Check {
public:
    Check(const Json& document, std::vector<std::string>& out) : document_{document}, out_{out} {}

    void run(const Json& schema, const Json& value, const std::string& at) {
        if (schema.contains("$ref"))
            return run(
                document_.at(Json::json_pointer(schema["$ref"].get<std::string>().substr(1))),
                value, at);
        if (schema.contains("type") && !one_of_types(value, schema["type"]))
            return say(at, "is not of type " + schema["type"].dump());
        for (const auto& [word, meaning] : schema.items())
            keyword(schema, word, meaning, value, at);
    }

private:
    void say(const std::string& at, const std::string& what) { out_.push_back(at + ": " + what); }

    void keyword(const Json& schema, const std::string& word, const Json& meaning,
                 const Json& value, const std::string& at) {
        if (word == "type" || word == "description" || word == "properties" ||
            word == "additionalProperties")
            return word == "properties" && value.is_object() ? members(schema, value, at) : void();
        if (word == "enum") {
            if (std::find(meaning.begin(), meaning.end(), value) == meaning.end())
                say(at, "is none of " + meaning.dump());
        } else if (word == "required") {
            for (const Json& name : meaning)
                if (value.is_object() && !value.contains(name.get<std::string>()))
                    say(at, "lacks " + name.get<std::string>());
        } else if (word == "items") {
            for (std::size_t i = 0; value.is_array() && i < value.size(); ++i)
                run(meaning, value[i], at + "/" + std::to_string(i));
        } else if (word == "minimum" || word == "maximum") {
            const bool low = word == "minimum";
            if (value.is_number() && (low ? value < meaning : value > meaning))
                say(at, "is beyond the " + word);
        } else if (word == "minItems" || word == "maxItems") {
            const bool low = word == "minItems";
            if (value.is_array() && (low ? value.size() < meaning : value.size() > meaning))
                say(at, "breaks " + word);
        } else if (word == "maxLength") {
            if (value.is_string() && value.get<std::string>().size() > meaning)
                say(at, "is too long");
        } else if (word == "pattern") {
            if (value.is_string() &&
                !std::regex_match(value.get<std::string>(), std::regex{meaning.get<std::string>()}))
                say(at, "does not match " + meaning.dump());
        } else if (word == "format") {
            if (value.is_string() && !formatted(value, meaning)) say(at, "is no " + meaning.dump());
        } else {
            say(at, "the schema says " + word + ", which nobody checks");
        }
    }

    void members(const Json& schema, const Json& value, const std::string& at) {
        const Json& properties = schema["properties"];
        for (const auto& [name, member] : value.items()) {
            if (properties.contains(name))
                run(properties[name], member, at + "/" + name);
            else if (schema.value("additionalProperties", Json(true)) == Json(false))
                say(at, "has " + name + ", which is not documented");
        }
    }

    const Json& document_;
    std::vector<std::string>& out_;
};

}  // namespace

std::vector<std::string> violations(const Json& document, const Json& schema, const Json& value,
                                    const std::string& at) {
    std::vector<std::string> out;
    Check{document, out}.run(schema, value, at);
    return out;
}

}  // namespace pf::tests
