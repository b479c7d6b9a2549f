"""Kubernetes' Jobs, each pod a process of this machine."""

from local.kubernetes.service import KubernetesJobs

__all__ = ["KubernetesJobs"]
