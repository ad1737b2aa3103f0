"""Critics: models that are shown two pictures and say Yes or No, on this machine or behind a server."""

from judge.critics.critic import Critic, CriticError
from judge.critics.registry import find_critic

__all__ = ["Critic", "CriticError", "find_critic"]
