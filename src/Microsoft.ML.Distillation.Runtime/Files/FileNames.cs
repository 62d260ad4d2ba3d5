using System.Text;

namespace Microsoft.ML.Distillation.Files;

/// <summary>
/// Compares names of files by what is read, not by how it is encoded: macOS writes an accented letter as a letter and an accent (NFD),
/// others as one character (NFC).
/// </summary>
internal static class FileNames
{
    private const char FirstSyllable = '\uAC00', LastSyllable = '\uD7A3';

    // Where an application is set to InvariantGlobalization, or there is no ICU, string.Normalize returns every text as it is.
    private static readonly bool SystemKnows = "e\u0301".Normalize() == "\u00E9";

    // Of each accent the letters with it and, at the same places, those without: Latin, Greek, Cyrillic and Japanese.
    private static readonly (char Accent, string With, string Without)[] Accents =
    [
        ('\u0300', "ÀÈÌÒÙàèìòùǛǜǸǹḔḕṐṑẀẁẦầẰằỀềỒồỜờỪừỲỳЀЍѐѝ", "AEIOUaeiouÜüNnĒēŌōWwÂâĂăÊêÔôƠơƯưYyЕИеи"),
        ('\u0301', "ÁÉÍÓÚÝáéíóúýĆćĹĺŃńŔŕŚśŹźǗǘǴǵǺǻǼǽǾǿḈḉḖḗḮḯḰḱḾḿṌṍṒṓṔṕṸṹẂẃẤ", "AEIOUYaeiouyCcLlNnRrSsZzÜüGgÅåÆæØøÇçĒēÏïKkMmÕõŌōPpŨũWwÂ"),
        ('\u0301', "ấẮắẾếỐốỚớỨứ΅ΆΈΉΊΌΎΏΐάέήίΰόύώϓЃЌѓќ", "âĂăÊêÔôƠơƯư¨ΑΕΗΙΟΥΩϊαεηιϋουωϒГКгк"),
        ('\u0302', "ÂÊÎÔÛâêîôûĈĉĜĝĤĥĴĵŜŝŴŵŶŷẐẑẬậỆệỘộ", "AEIOUaeiouCcGgHhJjSsWwYyZzẠạẸẹỌọ"),
        ('\u0303', "ÃÑÕãñõĨĩŨũṼṽẪẫẴẵẼẽỄễỖỗỠỡỮữỸỹ", "ANOanoIiUuVvÂâĂăEeÊêÔôƠơƯưYy"),
        ('\u0304', "ĀāĒēĪīŌōŪūǕǖǞǟǠǡǢǣǬǭȪȫȬȭȰȱȲȳḠḡḸḹṜṝӢӣӮӯ", "AaEeIiOoUuÜüÄäȦȧÆæǪǫÖöÕõȮȯYyGgḶḷṚṛИиУу"),
        ('\u0306', "ĂăĔĕĞğĬĭŎŏŬŭḜḝẶặЎЙйўӁӂӐӑӖӗ", "AaEeGgIiOoUuȨȩẠạУИиуЖжАаЕе"),
        ('\u0307', "ĊċĖėĠġİŻżȦȧȮȯḂḃḊḋḞḟḢḣṀṁṄṅṖṗṘṙṠṡṤṥṦṧṨṩṪṫẆẇẊẋẎẏẛ", "CcEeGgIZzAaOoBbDdFfHhMmNnPpRrSsŚśŠšṢṣTtWwXxYyſ"),
        ('\u0308', "ÄËÏÖÜäëïöüÿŸḦḧṎṏṺṻẄẅẌẍẗΪΫϊϋϔЁЇёїӒӓӚӛӜӝӞӟӤӥӦӧӪӫӬӭӰӱӴӵӸӹ", "AEIOUaeiouyYHhÕõŪūWwXxtΙΥιυϒЕІеіАаӘәЖжЗзИиОоӨөЭэУуЧчЫы"),
        ('\u0309', "ẢảẨẩẲẳẺẻỂểỈỉỎỏỔổỞởỦủỬửỶỷ", "AaÂâĂăEeÊêIiOoÔôƠơUuƯưYy"),
        ('\u030A', "ÅåŮůẘẙ", "AaUuwy"),
        ('\u030B', "ŐőŰűӲӳ", "OoUuУу"),
        ('\u030C', "ČčĎďĚěĽľŇňŘřŠšŤťŽžǍǎǏǐǑǒǓǔǙǚǦǧǨǩǮǯǰȞȟ", "CcDdEeLlNnRrSsTtZzAaIiOoUuÜüGgKkƷʒjHh"),
        ('\u030F', "ȀȁȄȅȈȉȌȍȐȑȔȕѶѷ", "AaEeIiOoRrUuѴѵ"),
        ('\u0311', "ȂȃȆȇȊȋȎȏȒȓȖȗ", "AaEeIiOoRrUu"),
        ('\u031B', "ƠơƯư", "OoUu"),
        ('\u0323', "ḄḅḌḍḤḥḲḳḶḷṂṃṆṇṚṛṢṣṬṭṾṿẈẉẒẓẠạẸẹỊịỌọỢợỤụỰựỴỵ", "BbDdHhKkLlMmNnRrSsTtVvWwZzAaEeIiOoƠơUuƯưYy"),
        ('\u0324', "Ṳṳ", "Uu"),
        ('\u0325', "Ḁḁ", "Aa"),
        ('\u0326', "ȘșȚț", "SsTt"),
        ('\u0327', "ÇçĢģĶķĻļŅņŖŗŞşŢţȨȩḐḑḨḩ", "CcGgKkLlNnRrSsTtEeDdHh"),
        ('\u0328', "ĄąĘęĮįŲųǪǫ", "AaEeIiUuOo"),
        ('\u032D', "ḒḓḘḙḼḽṊṋṰṱṶṷ", "DdEeLlNnTtUu"),
        ('\u032E', "Ḫḫ", "Hh"),
        ('\u0330', "ḚḛḬḭṴṵ", "EeIiUu"),
        ('\u0331', "ḆḇḎḏḴḵḺḻṈṉṞṟṮṯẔẕẖ", "BbDdKkLlNnRrTtZzh"),
        ('\u3099', "がぎぐげござじずぜぞだぢづでどばびぶべぼゔゞガギグゲゴザジズゼゾダヂヅデドバビブベボヴヷヸヹヺヾ", "かきくけこさしすせそたちつてとはひふへほうゝカキクケコサシスセソタチツテトハヒフヘホウワヰヱヲヽ"),
        ('\u309A', "ぱぴぷぺぽパピプペポ", "はひふへほハヒフヘホ"),
    ];

    private static readonly Lazy<Dictionary<char, string>> Parts = new(() =>
    {
        var parts = new Dictionary<char, string>();
        foreach ((char accent, string with, string without) in Accents)
        {
            for (int i = 0; i < with.Length; i++) parts[with[i]] = $"{without[i]}{accent}";
        }

        return parts;
    });

    /// <summary>A text that is the same for all encodings of a name.</summary>
    public static string Key(string name)
    {
        if (Ascii.IsValid(name)) return name;
        return SystemKnows ? Normal(name) : Decomposed(name);
    }

    /// <summary>
    /// A name with its letters taken apart as far as this library knows them by itself: Latin, Greek, Cyrillic, Japanese and Korean.
    /// </summary>
    public static string Decomposed(string name)
    {
        var text = new StringBuilder(2 * name.Length);
        foreach (char c in name) Decompose(c, text);
        return text.ToString();
    }

    private static string Normal(string name)
    {
        try
        {
            return name.Normalize(NormalizationForm.FormD);
        }
        catch (ArgumentException)
        {
            // Half a pair of surrogates.
            return name;
        }
    }

    private static void Decompose(char c, StringBuilder text)
    {
        if (c is >= FirstSyllable and <= LastSyllable)
        {
            // The Unicode standard, 3.12: 19 leading consonants, 21 vowels, 27 trailing consonants or none.
            (int rest, int trail) = Math.DivRem(c - FirstSyllable, 28);
            text.Append((char)(0x1100 + rest / 21)).Append((char)(0x1161 + rest % 21));
            if (trail > 0) text.Append((char)(0x11A7 + trail));
        }
        else if (Parts.Value.TryGetValue(c, out string? parts))
        {
            Decompose(parts[0], text);
            text.Append(parts[1]);
        }
        else
        {
            text.Append(c);
        }
    }
}
