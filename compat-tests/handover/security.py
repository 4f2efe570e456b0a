"""Access rules, passwords and quotas: what Kafka's metadata holds and Milena does not serve yet."""

from asking import Asker

TOPIC, GROUP, LITERAL, READ, ALLOW = 2, 3, 3, 3, 3
ANY = 1
SCRAM_SHA_256 = 1


def set_up(ask: Asker) -> None:
    rule = {"ResourcePatternType": LITERAL, "Host": "*", "Operation": READ, "PermissionType": ALLOW}
    rules = [
        {**rule, "ResourceType": TOPIC, "ResourceName": "orders", "Principal": "User:ann"},
        {**rule, "ResourceType": GROUP, "ResourceName": "readers", "Principal": "User:bob"},
    ]
    ask.settled("CreateAcls", 3, Creations=rules)
    password = {"Mechanism": SCRAM_SHA_256, "Iterations": 4096, "Salt": b"salt", "SaltedPassword": b"p" * 32}
    ask.settled("AlterUserScramCredentials", 0, Upsertions=[{"Name": "ann", **password}])
    entity = [{"EntityType": "user", "EntityName": "ann"}]
    op = {"Key": "producer_byte_rate", "Value": 12345.0, "Remove": False}
    ask.settled("AlterClientQuotas", 1, Entries=[{"Entity": entity, "Ops": [op]}], ValidateOnly=False)


def kept(ask: Asker) -> dict:
    every = {"ResourceTypeFilter": ANY, "PatternTypeFilter": ANY, "Operation": ANY, "PermissionType": ANY}
    names = {"ResourceNameFilter": None, "PrincipalFilter": None, "HostFilter": None}
    rules = ask("DescribeAcls", 3, **every, **names)["Resources"]
    return {
        "rules": sorted(rules, key=str),
        "passwords": ask("DescribeUserScramCredentials", 0, Users=None)["Results"],
        "quotas": ask("DescribeClientQuotas", 1, Components=[], Strict=False)["Entries"],
    }


def complete(found: dict) -> dict | None:
    return found if len(found["rules"]) == 2 and found["passwords"] and found["quotas"] else None
