"""The teams of the local Slack: each with its token, signing secret, people and channels."""

import hmac

from emulators.database import Database
from emulators.problems import Refused
from emulators.setup import SlackChannel, SlackInstallation, SlackSetup, SlackUser


class SlackTeams:
    """Reads and writes the teams; every channel and every person belongs to one of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def apply(self, setup: SlackSetup) -> None:
        """Adds or replaces one team; people and channels belong to the team that named them last."""
        holder = self.with_token(setup.bot_token)
        if holder is not None and holder.team_id != setup.team_id:
            raise Refused(409, "token_of_another_team", "Another Slack team has this bot token")
        self._put_team(setup)
        for user in setup.users:
            self._put("slack_users", setup.team_id, user)
        for channel in setup.channels:
            self._put("slack_channels", setup.team_id, channel)

    def all(self) -> list[SlackInstallation]:
        rows = self._database.all("SELECT setup FROM slack_teams ORDER BY position")
        return [SlackInstallation.model_validate_json(row["setup"]) for row in rows]

    def team(self, team_id: str) -> SlackInstallation | None:
        return next((team for team in self.all() if team.team_id == team_id), None)

    def with_token(self, token: str) -> SlackInstallation | None:
        """The installation that a bot token stands for."""
        return next(
            (team for team in self.all() if hmac.compare_digest(token.encode(), team.bot_token.encode())),
            None,
        )

    def of_channel(self, channel_id: str) -> SlackInstallation:
        """The team of a channel that exists."""
        row = self._database.one(
            "SELECT t.setup FROM slack_teams t JOIN slack_channels c ON c.team = t.id WHERE c.id = ?",
            channel_id,
        )
        if row is None:
            raise Refused(404, "unknown_channel", "There is no such channel")
        return SlackInstallation.model_validate_json(row["setup"])

    def channels(self, team_id: str) -> list[SlackChannel]:
        rows = self._database.all(
            "SELECT setup FROM slack_channels WHERE team = ? ORDER BY position", team_id
        )
        return [SlackChannel.model_validate_json(row["setup"]) for row in rows]

    def users(self, team_id: str) -> list[SlackUser]:
        rows = self._database.all("SELECT setup FROM slack_users WHERE team = ? ORDER BY position", team_id)
        return [SlackUser.model_validate_json(row["setup"]) for row in rows]

    def people(self, team_id: str) -> list[SlackUser]:
        """Whom one can act as."""
        return [user for user in self.users(team_id) if not user.is_bot and not user.deleted]

    def _put_team(self, setup: SlackSetup) -> None:
        self._database.run(
            "INSERT INTO slack_teams (id, position, setup) VALUES (?, ?, ?)"
            " ON CONFLICT (id) DO UPDATE SET setup = excluded.setup",
            setup.team_id,
            self._database.next_number("position:slack_teams", 1),
            setup.model_dump_json(exclude={"users", "channels"}),
        )

    def _put(self, table: str, team_id: str, part: SlackUser | SlackChannel) -> None:
        self._database.run(
            f"INSERT INTO {table} (id, position, setup, team) VALUES (?, ?, ?, ?)"  # noqa: S608 - our two tables
            " ON CONFLICT (id) DO UPDATE SET setup = excluded.setup, team = excluded.team",
            part.id,
            self._database.next_number(f"position:{table}", 1),
            part.model_dump_json(),
            team_id,
        )
