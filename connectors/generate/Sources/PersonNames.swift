/// Names of people, of a few hundred combinations.
enum PersonNames {
    private static let first = [
        "Ada", "Åsa", "Bob", "Chen", "Chloé", "Dmitri", "Elena", "Élodie", "Farid", "Grace",
        "Hana", "Igor", "Jun", "Karin", "Linus", "Mei", "Nadia", "Omar", "Priya", "Rosa",
    ]
    private static let last = [
        "Andersson", "Baker", "Chaudhry", "Dubois", "Eriksen", "Fischer", "García", "Haddad",
        "Ivanova", "Jensen", "Kowalski", "Lindqvist", "Martin", "Novák", "Okafor", "Pereira",
        "Rossi", "Schmidt", "Tanaka", "Wei",
    ]

    /// Every first name with every last name.
    static let all = first.flatMap { name in last.map { "\(name) \($0)" } }

    /// What generated texts are made of.
    static let words = [
        "amber", "basin", "cedar", "delta", "ember", "fjord", "grain", "harbour", "inlet", "jetty",
        "keel", "lantern", "meadow", "north", "otter", "pebble", "quarry", "river", "shingle",
        "tide", "upland", "valley", "weir", "yarrow", "zephyr",
    ]
}
