"""The icons of the report, which it carries in itself."""


def icon(name: str) -> str:
    return f'<svg class="i" aria-hidden="true"><use href="#{name}"></use></svg>'
