"""A tiny critic of random weights, which babbles, and one that answers Yes or No whatever it is asked."""

import torch

from judge.pocket.critic import new_critic


def random_critic(tokenizer):
    """A critic whose answers differ; it writes anything."""
    torch.manual_seed(0)
    model = new_critic(tokenizer)
    for parameter in model.parameters():
        if parameter.dim() > 1:
            torch.nn.init.normal_(parameter, std=0.09)  # or every answer would be one half
    return model.eval()


@torch.no_grad()
def answering_critic(tokenizer):
    """The same, but its last attention adds a direction, whatever it attends to, that all words but two shun."""
    model = random_critic(tokenizer)
    for config in (model.config, model.config.text_config):
        config.tie_word_embeddings = False
    embeddings = model.get_input_embeddings().weight
    direction = torch.nn.functional.normalize(torch.randn(embeddings.shape[1]), dim=0)
    attention = model.model.language_model.layers[-1].self_attn
    attention.v_proj.bias += torch.linalg.solve(attention.o_proj.weight, direction)
    model.lm_head.weight = torch.nn.Parameter(embeddings - 40 * direction)
    answers = tokenizer.convert_tokens_to_ids(["Yes", "No"])
    model.lm_head.weight[answers] = embeddings[answers]
    return model
